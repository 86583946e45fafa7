//! The peer outside the database: an actix-web handler that decides each booking in a transaction of its own, as one would write
//! it first. It does less than the service: no order of events, no chain, no repeats or moves, one secret.

use actix_web::web::{Bytes, Data, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder};
use bookwarden::cubu::request::{self, Booking};
use bookwarden::cubu::signature::{Mac, matches};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row as _};

use crate::failure::Failure;
use crate::requests::SECRET;

const PHONE: &str = "4848ba2d-a80a-4f3c-b170-578d19899e2f";

/// As many transactions at once as served best on two cores.
const CONNECTIONS: u32 = 16;

/// Serves until killed; says on standard error where.
pub async fn serve() -> Result<(), Failure> {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .test_before_acquire(false)
        .connect(&url)
        .await?;
    let pool = Data::new(pool);
    let route = "/service/actions/beforeBookAppointment";
    let server = HttpServer::new(move || {
        App::new()
            .app_data(pool.clone())
            .route(route, post().to(book))
    })
    .workers(2)
    .bind("127.0.0.1:0")?;
    if let Some(address) = server.addrs().first() {
        eprintln!(r#"{{"address":"{address}"}}"#);
    }
    Ok(server.run().await?)
}

async fn book(pool: Data<PgPool>, request: HttpRequest, body: Bytes) -> impl Responder {
    let authorization = request
        .headers()
        .get("Authorization")
        .and_then(|value| value.to_str().ok());
    let mac = authorization.and_then(|value| Mac::from_header(value).ok());
    if !mac.is_some_and(|mac| matches(SECRET, &body, &mac)) {
        return HttpResponse::Unauthorized().finish();
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    let Ok(booking) = request::parse(text) else {
        return HttpResponse::BadRequest().finish();
    };
    match decide(&pool, &booking, text).await {
        Ok(response) => HttpResponse::Ok()
            .content_type("application/json")
            .body(response),
        Err(error) => {
            eprintln!("{error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

async fn decide(pool: &PgPool, booking: &Booking, body: &str) -> Result<String, sqlx::Error> {
    let appointment = &booking.appointment;
    let phone = booking
        .fields
        .get(PHONE)
        .and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended($1::text || $2::text || $3::text, 0))",
    )
    .bind(booking.service_id)
    .bind(appointment.date)
    .bind(appointment.cu_index)
    .execute(&mut *transaction)
    .await?;

    let is_blocked: bool = sqlx::query_scalar(include_str!("web_is_blocked.sql"))
        .bind(booking.customer_record_id)
        .bind(phone)
        .fetch_one(&mut *transaction)
        .await?;
    let caps = sqlx::query(include_str!("web_count.sql"))
        .bind(booking.service_id)
        .bind(appointment.date)
        .bind(appointment.cu_index)
        .fetch_all(&mut *transaction)
        .await?;

    let mut reason = is_blocked.then_some("This booking is not possible.");
    let mut policies = Vec::with_capacity(caps.len());
    for cap in &caps {
        let (id, max, used): (i64, i32, i64) = (cap.try_get(0)?, cap.try_get(1)?, cap.try_get(2)?);
        let has_room = used < i64::from(max);
        policies.push(serde_json::json!({
            "kind": "capacity_caps", "id": id, "mode": "enforce", "verdict": if has_room { "allowed" } else { "refused" },
            "bucket": {"serviceId": booking.service_id, "cuIndex": appointment.cu_index, "from": appointment.date},
            "used": used, "max": max,
        }));
        if !has_room && reason.is_none() {
            reason = Some("No more appointments are available here.");
        }
    }
    let response = serde_json::json!({
        "fields": null, "tagIds": null, "removeCustomer": false, "customerRecordId": null, "useCustomerContactInfo": false,
        "contactPhoneNumber": null, "contactEmail": null, "serviceTypeId": null, "channel": null, "preventSelfCheckIn": null,
        "cancelled": reason.is_some(), "cancellationReason": reason,
    });
    let payload = if reason.is_none() {
        serde_json::json!({"version": 2, "policies": policies})
    } else {
        serde_json::json!({"version": 2, "response": response, "policies": policies})
    };

    sqlx::query(include_str!("web_insert.sql"))
        .bind(booking.case_id)
        .bind(body)
        .bind(payload.to_string())
        .bind(Sha256::digest(body).as_slice())
        .bind(reason)
        .bind(booking.unit_id)
        .bind(booking.service_id)
        .bind(appointment.cu_index)
        .bind(appointment.date)
        .bind(appointment.start)
        .bind(appointment.duration)
        .bind(&booking.channel)
        .bind(booking.customer_record_id)
        .bind(booking.service_category_id)
        .bind(booking.service_type_id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(response.to_string())
}
