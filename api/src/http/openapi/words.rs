//! What parameters of queries may say, where that is one of a few words or a moment.

use utoipa::ToSchema;

/// Which tasks.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum StatusWord {
    All,
    Pending,
    Completed,
}

/// How many of the tags.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum MatchWord {
    All,
    Any,
}

/// What people look at most.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum ViewWord {
    Today,
    Overdue,
    Upcoming,
    Completed,
}

// The pattern is one that RE2 takes as well, which some generators check with.
/// A date, or a moment with its offset, from 1970 to 9999.
#[derive(ToSchema)]
#[schema(
    pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$"
)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct DayOrMoment(String);

/// Which way round.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum OrderWord {
    Asc,
    Desc,
}

/// What to sort by.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum SortWord {
    DueDate,
    Priority,
    CreatedAt,
    UpdatedAt,
    Title,
    Completed,
    Id,
}

/// What to sort by, and which way round.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum SortTermWord {
    DueDate,
    Priority,
    CreatedAt,
    UpdatedAt,
    Title,
    Completed,
    Id,
    #[schema(rename = "-due_date")]
    DueDateDescending,
    #[schema(rename = "-priority")]
    PriorityDescending,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
    #[schema(rename = "-updated_at")]
    UpdatedAtDescending,
    #[schema(rename = "-title")]
    TitleDescending,
    #[schema(rename = "-completed")]
    CompletedDescending,
    #[schema(rename = "-id")]
    IdDescending,
}

/// How urgent.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum PriorityWord {
    Low,
    Medium,
    High,
}

/// What else to answer.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum IncludeWord {
    Total,
    Tags,
}

/// A member of a task.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum TaskMember {
    Id,
    UserId,
    Title,
    Description,
    Completed,
    Priority,
    DueDate,
    RemindAt,
    RecurrencePattern,
    IsRecurring,
    Tags,
    CreatedAt,
    UpdatedAt,
}
