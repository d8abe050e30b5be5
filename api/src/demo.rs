//! Believable tasks of a demo user, made through the same use cases as anybody's.

use crate::domain::{
    Credential, Description, Due, Instant, NewTask, Priority, Recurrence, TagName, Title, UserId, Zone,
};
use crate::service::{Failure, Principal, Services};

/// The demo user's id.
pub(crate) const USER: &str = "usr_demo";
/// The demo user's e-mail address.
pub(crate) const EMAIL: &str = "demo@example.org";

/// Makes the tasks, unless the demo user has some already.
pub(crate) async fn fill(services: &Services) -> Result<(), Failure> {
    let now = services.now();
    let user = Principal {
        zone: None,
        id: UserId::parse(USER).expect("the demo user's id is an ordinary one"),
        email: EMAIL.to_owned(),
        name: Some("Demo".to_owned()),
        credential: Credential::Issued { at: None },
        seen_at: now,
    };
    if services.summary(&user, &Zone::UTC).await?.value.total > 0 {
        return Ok(());
    }
    for row in &ROWS {
        services.create_task(&user, &task(row, now), None).await?;
    }
    Ok(())
}

/// Title, description, days until it is due, priority, recurrence, tags, whether it is done.
type Row = (
    &'static str,
    Option<&'static str>,
    Option<i64>,
    Priority,
    Option<&'static str>,
    &'static [&'static str],
    bool,
);

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    ("Renew the passport", Some("Two photos, the old passport, 70 in cash"), Some(12), Priority::High, None, &["errands"], false),
    ("Water the plants", None, Some(1), Priority::Low, Some("FREQ=DAILY;INTERVAL=3"), &["home"], false),
    ("Prepare the quarterly review", Some("Figures from Noor, slides by Thursday"), Some(3), Priority::High, None, &["work"], false),
    ("Call grandmother", None, Some(0), Priority::Medium, Some("weekly"), &["family"], false),
    ("Book the dentist", None, Some(-2), Priority::Medium, None, &["health", "errands"], false),
    ("Read chapter seven", None, None, Priority::Low, None, &["study"], false),
    ("Pay the electricity bill", None, Some(-5), Priority::High, Some("monthly"), &["home"], true),
    ("Fix the bicycle's brake", Some("The rear one; pads are in the cellar"), Some(6), Priority::Medium, None, &["home"], false),
    ("Send the contract to Elif", None, Some(-1), Priority::High, None, &["work"], true),
    ("Buy a present for Jonas", Some("He mentioned the book about lighthouses"), Some(9), Priority::Medium, None, &["family"], false),
    ("Back up the photos", None, Some(20), Priority::Low, Some("monthly"), &["home"], false),
    ("Team retrospective", None, Some(4), Priority::Medium, Some("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"), &["work"], false),
];

fn task((title, description, days, priority, recurrence, tags, completed): &Row, now: Instant) -> NewTask {
    NewTask {
        title: Title::parse(title).expect("the demo's titles are valid"),
        description: description.and_then(|text| Description::parse(text).ok()),
        completed: *completed,
        priority: *priority,
        due: days.map(|days| Due::At(now.plus_days(days))),
        remind_at: None,
        recurrence: recurrence.and_then(|text| Recurrence::parse(text).ok()),
        tags: tags.iter().filter_map(|name| TagName::parse(name).ok()).collect(),
    }
}
