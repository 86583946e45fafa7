//! How a case field's value is compared, in Rust and in SQL: the index that finds a blocklist row is built by one and asked by the other.

use bookwarden::policy::match_key::match_key;

use crate::support::TestApp;

/// Every character that Postgres' ICU knows a lower case of is mapped as Rust maps it. An older ICU leaves characters of a newer
/// Unicode as they are: those cannot be matched by their other case until Postgres is newer, and nothing worse.
#[tokio::test]
async fn every_character_has_the_same_key_in_sql() {
    let app = TestApp::start().await;
    let characters: Vec<String> = ('\u{1}'..=char::MAX).map(String::from).collect();
    let keys: Vec<String> = sqlx::query_scalar(
        "select policy.match_key(c) from unnest($1::text[]) with ordinality as t (c, n) order by n",
    )
    .bind(&characters)
    .fetch_all(&app.database)
    .await
    .expect("keys");
    assert_eq!(characters.len(), keys.len());
    let mut newer = 0;
    for (character, in_sql) in characters.iter().zip(&keys) {
        if *in_sql != match_key(character) {
            assert_eq!(in_sql, character, "{:?}", character.escape_unicode());
            newer += 1;
        }
    }
    assert!(newer < 100, "{newer} characters of a newer Unicode");
}

/// The same with letters around it, where SQL could look at the neighbours.
#[tokio::test]
async fn every_character_between_others_has_the_same_key_in_sql() {
    let app = TestApp::start().await;
    let texts: Vec<String> = ('\u{1}'..=char::MAX)
        .flat_map(|c| [format!("Α{c}"), format!("{c}Σ"), format!("Σ{c}Α ")])
        .collect();
    let different: Vec<(String, String)> = sqlx::query_as(
        "select t.c, policy.match_key(t.c) from unnest($1::text[], $2::text[]) as t (c, key) where policy.match_key(t.c) <> t.key",
    )
    .bind(&texts)
    .bind(texts.iter().map(|text| match_key(text)).collect::<Vec<_>>())
    .fetch_all(&app.database)
    .await
    .expect("keys");
    let unexplained = different.iter().find(|(text, in_sql)| {
        let rust: Vec<char> = match_key(text).chars().collect();
        let sql: Vec<char> = in_sql.chars().collect();
        // One character left as it is, the others the same.
        rust.len() != sql.len()
            || (rust.iter().zip(&sql)).any(|(rust, sql)| rust != sql && !text.contains(*sql))
    });
    assert_eq!(unexplained, None);
}
