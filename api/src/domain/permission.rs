//! What a program may do in somebody's name: the scopes of an API token.

/// One scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Seeing tasks and tags.
    TasksRead,
    /// Making, changing and deleting them.
    TasksWrite,
    /// Conversations and their messages.
    Chat,
    /// The person, their sign-ins and their tokens.
    Account,
    /// Where the schema stands.
    SchemaRead,
}

/// Several scopes, each once, in their own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permissions(Vec<Permission>);

impl Permission {
    /// Every scope.
    pub(crate) const ALL: [Self; 5] = [
        Self::TasksRead,
        Self::TasksWrite,
        Self::Chat,
        Self::Account,
        Self::SchemaRead,
    ];

    /// Returns its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::TasksRead => "tasks:read",
            Self::TasksWrite => "tasks:write",
            Self::Chat => "chat",
            Self::Account => "account",
            Self::SchemaRead => "schema:read",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.word() == word)
    }
}

impl Permissions {
    pub(crate) fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// Returns the names.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|permission| permission.word()).collect()
    }

    /// Reads names with a space between them; one that this build does not know permits nothing.
    pub(crate) fn stored(text: &str) -> Self {
        text.split(' ').filter_map(Permission::parse).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(given: I) -> Self {
        let given: Vec<Permission> = given.into_iter().collect();
        Self(
            Permission::ALL
                .into_iter()
                .filter(|permission| given.contains(permission))
                .collect(),
        )
    }
}
