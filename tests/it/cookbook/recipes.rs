//! One small table a recipe: what bookings get before it runs, and after.

use serde_json::{Value, json};

use super::trial::{Try, run};

/// Booked, as asked or changed.
fn booked() -> Value {
    json!({"cancelled": false})
}

/// Refused with these words.
fn refused(reason: &str) -> Value {
    json!({"cancelled": true, "cancellationReason": reason})
}

/// The same booking so many times, each a case of its own.
fn times(count: usize, (changes, wanted): Try) -> impl Iterator<Item = Try> {
    std::iter::repeat_n((changes, wanted), count)
}

macro_rules! recipes {
    ($($name:ident = $file:literal { before $before:expr, after $after:expr })*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let before: Vec<Try> = $before.into_iter().collect();
                run($file, before, $after.into_iter().collect()).await;
            }
        )*

        #[test]
        fn every_recipe_is_tried() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/cookbook");
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .expect("the cookbook")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
                .collect();
            files.sort();
            let tried: Vec<String> = [$($file),*].map(|file| format!("{file}.sql")).into();
            assert_eq!(tried, files);
            let page = include_str!("../../../docs/policies.md");
            for file in files {
                assert!(page.contains(&format!("(../sql/cookbook/{file})")), "{file} is not in docs/policies.md");
            }
        }
    };
}

const OTHER_SERVICE: &str = "11111111-2222-4333-8444-555555555555";
const EMAIL: &str = "cd439a62-c78a-413f-bb42-cc4dd720375c";
const SUBJECT: &str = "b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10";
const DAY: i64 = 24 * 60;

recipes! {
    lunch_break = "01_lunch_break_closed" {
        before [(json!({"appointment": {"start": 730}}), booked())],
        after [
            (json!({"appointment": {"start": 730}}), refused("We are at lunch from 12 to 1.")),
            (json!({"appointment": {"start": 710}}), refused("We are at lunch from 12 to 1.")),
            (json!({"appointment": {"start": 705}}), booked()),
            (json!({"appointment": {"start": 780}}), booked()),
            (json!({"appointment": {"start": 730}, "unitId": OTHER_SERVICE}), booked()),
        ]
    }
    weekend = "02_weekend_closed" {
        before [(json!({"appointment": {"date": "2027-03-13"}}), booked())],
        after [
            (json!({"appointment": {"date": "2027-03-12"}}), booked()),
            (json!({"appointment": {"date": "2027-03-13"}}), refused("We are closed at the weekend.")),
            (json!({"appointment": {"date": "2027-03-14"}}), refused("We are closed at the weekend.")),
            (json!({"appointment": {"date": "2027-03-15"}}), booked()),
        ]
    }
    holiday = "03_holiday_for_one_unit" {
        before [(json!({}), booked())],
        after [
            (json!({}), refused("Closed for the town festival.")),
            (json!({"unitId": OTHER_SERVICE}), booked()),
            (json!({"appointment": {"date": "2027-03-10"}}), booked()),
        ]
    }
    calendar_ends = "04_close_one_calendar_from_a_date" {
        before [(json!({}), booked())],
        after [
            (json!({}), refused("This room is closed from March on; please choose another.")),
            (json!({"appointment": {"date": "2031-07-01"}}), refused("This room is closed from March on; please choose another.")),
            (json!({"appointment": {"date": "2027-02-28"}}), booked()),
            (json!({"appointment": {"cuIndex": 1}}), booked()),
            (json!({"serviceId": OTHER_SERVICE}), booked()),
        ]
    }
    cap = "05_cap_a_calendar" {
        before times(8, (json!({}), booked())),
        after [
            (json!({}), refused("This day is full.")),
            (json!({"appointment": {"cuIndex": 1}}), booked()),
            (json!({"appointment": {"date": "2027-03-10"}}), booked()),
        ]
    }
    vips = "06_vips_pass_the_cap" {
        before times(3, (json!({}), booked())),
        after [
            (json!({}), refused("No more appointments are left on this day.")),
            (json!({"tagIds": ["7a1f0c52-3f44-4c0b-9d0e-5b8f1f6c2d10"]}), booked()),
        ]
    }
    minutes_a_day = "07_minutes_a_day" {
        before times(3, (json!({"appointment": {"duration": 60}}), booked())),
        after [
            (json!({"appointment": {"duration": 61}}), refused("Not enough time is left on this day.")),
            (json!({"appointment": {"duration": 60}}), booked()),
            (json!({"appointment": {"duration": 1}}), refused("Not enough time is left on this day.")),
        ]
    }
    service_type_per_week = "08_three_of_a_service_type_per_week" {
        before times(2, (json!({"appointment": {"date": "2027-03-08"}}), booked())),
        after [
            (json!({"appointment": {"date": "2027-03-14", "cuIndex": 4}}), booked()),
            (json!({"appointment": {"date": "2027-03-12"}}), refused("This type is fully booked in this week.")),
            (json!({"appointment": {"date": "2027-03-15"}}), booked()),
            (json!({"appointment": {"date": "2027-03-12"}, "serviceTypeId": null}), booked()),
        ]
    }
    slot = "09_one_per_slot" {
        before [(json!({}), booked())],
        after [
            (json!({}), refused("This time was just taken.")),
            (json!({"appointment": {"start": 665}}), booked()),
        ]
    }
    mornings = "10_fewer_in_the_morning" {
        before times(2, (json!({}), booked())),
        after [
            (json!({"appointment": {"start": 719}}), refused("Please choose a time after 12.")),
            (json!({"appointment": {"start": 720}}), booked()),
            (json!({"appointment": {"date": "2027-03-10"}}), booked()),
        ]
    }
    campaign = "11_cap_for_a_campaign" {
        before times(2, (json!({}), booked())),
        after [(json!({}), refused("Sold out for this day."))]
    }
    two_upcoming = "12_two_upcoming_per_customer" {
        before [
            (json!({"inMinutes": 3 * DAY}), booked()),
            (json!({"inMinutes": 9 * DAY}), booked()),
            (json!({"inMinutes": -DAY}), booked()),
        ],
        after [
            (json!({"inMinutes": 6 * DAY}), refused("You already have two appointments.")),
            (json!({"inMinutes": 6 * DAY, "customerRecordId": OTHER_SERVICE}), booked()),
            (json!({"inMinutes": 6 * DAY, "customerRecordId": null}), booked()),
        ]
    }
    thirty_days_apart = "13_gap_of_30_days" {
        before [(json!({"inMinutes": 40 * DAY}), booked())],
        after [
            (json!({"inMinutes": 60 * DAY}), refused("Please leave 30 days between two appointments.")),
            (json!({"inMinutes": 20 * DAY}), refused("Please leave 30 days between two appointments.")),
            (json!({"inMinutes": 60 * DAY, "serviceId": OTHER_SERVICE}), booked()),
            (json!({"inMinutes": 71 * DAY}), booked()),
        ]
    }
    no_overlap = "14_no_overlapping_appointments" {
        before [(json!({"inMinutes": 2 * DAY}), booked())],
        after [
            (json!({"inMinutes": 2 * DAY + 10, "serviceId": OTHER_SERVICE}), refused("You have another appointment at this time.")),
            (json!({"inMinutes": 2 * DAY + 16}), booked()),
        ]
    }
    two_hours_ahead = "15_no_online_booking_within_two_hours" {
        before [(json!({"inMinutes": 60}), booked())],
        after [
            (json!({"inMinutes": 60}), refused("Please book at least two hours ahead, or call us.")),
            (json!({"inMinutes": 60, "triggeredByUserEmail": "agent@example.com"}), booked()),
            (json!({"inMinutes": 122}), booked()),
        ]
    }
    sixty_days_ahead = "16_sixty_days_ahead" {
        before [(json!({"inMinutes": 62 * DAY}), booked())],
        after [
            (json!({"inMinutes": 62 * DAY}), refused("You can book up to 60 days ahead.")),
            (json!({"inMinutes": 62 * DAY, "triggeredByUserEmail": "agent@example.com"}), booked()),
            (json!({"inMinutes": 59 * DAY}), booked()),
        ]
    }
    blocked_customer = "17_block_a_customer" {
        before [(json!({}), booked())],
        after [
            (json!({}), refused("Please call us to book.")),
            (json!({"customerRecordId": null}), booked()),
        ]
    }
    blocked_email = "18_block_by_email" {
        before [(json!({}), booked())],
        after [
            (json!({"customerRecordId": null, "fields": {EMAIL: " Dana@Example.COM"}}), refused("Please call us to book.")),
            (json!({"fields": {EMAIL: "dan@example.com"}}), booked()),
        ]
    }
    blocked_domain = "19_block_an_email_domain" {
        before [(json!({"fields": {EMAIL: "x@spam.example"}}), booked())],
        after [
            (json!({"fields": {EMAIL: "X@Spam.example "}}), refused("Please call us to book.")),
            (json!({"fields": {EMAIL: null}}), booked()),
            (json!({}), booked()),
        ]
    }
    agents_only = "20_agents_only" {
        before [(json!({}), booked())],
        after [
            (json!({}), refused("Please call us to book this service.")),
            (json!({"triggeredByUserEmail": "agent@example.com"}), booked()),
            (json!({"fields": {SUBJECT: "Voucher"}}), booked()),
            (json!({"serviceId": OTHER_SERVICE}), booked()),
        ]
    }
    late_bookings = "21_tag_late_bookings" {
        before [(json!({"inMinutes": 600}), json!({"cancelled": false, "tagIds": null}))],
        after [
            (json!({"inMinutes": 600}), json!({
                "cancelled": false,
                "tagIds": ["0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f", "d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f"]
            })),
            (json!({"inMinutes": DAY + 2}), json!({"cancelled": false, "tagIds": null})),
        ]
    }
    video_type = "22_route_video_to_another_service_type" {
        before [(json!({"channel": "Video"}), json!({"cancelled": false, "serviceTypeId": null}))],
        after [
            (json!({"channel": "Video"}), json!({"cancelled": false, "serviceTypeId": "5f0c2b1a-7d6e-4f3a-9b8c-1d2e3f4a5b6c"})),
            (json!({}), json!({"cancelled": false, "serviceTypeId": null})),
        ]
    }
    field_by_channel = "23_set_a_field_by_channel" {
        before [(json!({}), json!({"fields": null}))],
        after [
            (json!({}), json!({"fields": {
                "4848ba2d-a80a-4f3c-b170-578d19899e2f": "+972501234567", EMAIL: "dana@example.com", SUBJECT: "Comes to the branch"
            }})),
            (json!({"channel": "Video"}), json!({"fields": {
                "4848ba2d-a80a-4f3c-b170-578d19899e2f": "+972501234567", EMAIL: "dana@example.com", SUBJECT: "Sends a video link"
            }})),
            (json!({"channel": "Phone"}), json!({"fields": null})),
        ]
    }
    kiosk = "24_remove_the_customer_at_the_kiosk" {
        before [(json!({"status": "Waiting"}), json!({"removeCustomer": false}))],
        after [
            (json!({"status": "Waiting"}), json!({"cancelled": false, "removeCustomer": true, "customerRecordId": null})),
            (json!({"status": "Waiting", "triggeredByUserEmail": "agent@example.com"}), json!({"removeCustomer": false})),
            (json!({}), json!({"removeCustomer": false})),
        ]
    }
    contact_details = "25_customers_own_contact_details" {
        before [(json!({}), json!({"useCustomerContactInfo": false}))],
        after [
            (json!({}), json!({"useCustomerContactInfo": true, "contactEmail": null, "contactPhoneNumber": null})),
            (json!({"customerRecordId": null}), json!({"useCustomerContactInfo": false})),
        ]
    }
    no_check_in = "26_no_kiosk_check_in_for_video" {
        before [(json!({"channel": "Video"}), json!({"preventSelfCheckIn": null}))],
        after [
            (json!({"channel": "Video"}), json!({"preventSelfCheckIn": true})),
            (json!({}), json!({"preventSelfCheckIn": null})),
        ]
    }
    two_languages = "27_message_in_two_languages" {
        before [(json!({"language": "he"}), booked())],
        after [
            (json!({"language": "he-IL"}), refused("אנחנו סגורים ביום זה.")),
            (json!({"language": "fr"}), refused("We are closed on this day.")),
        ]
    }
    pilot = "28_pilot_a_cap_in_shadow" {
        before [(json!({}), booked())],
        after [
            (json!({}), json!({"cancelled": false, "policies": {"mode": "shadow", "verdict": "refused"}})),
            (json!({"appointment": {"cuIndex": 1}}), json!({"cancelled": false, "policies": {"mode": "shadow", "verdict": "allowed"}})),
        ]
    }
    kill_switch_on = "29_kill_switch_on" {
        before [(json!({}), json!({"cancelled": true}))],
        after [(json!({}), json!({"cancelled": false, "policies": {"mode": "shadow", "verdict": "refused"}}))]
    }
    kill_switch_off = "30_kill_switch_off" {
        before [(json!({}), booked())],
        after [(json!({}), json!({"cancelled": true, "policies": {"mode": "enforce", "verdict": "refused"}}))]
    }
}
