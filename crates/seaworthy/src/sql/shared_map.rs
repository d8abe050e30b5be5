//! Ordered maps that are cloned at once, however large: a copy shares with the other whatever neither has changed since.

use std::borrow::Borrow;

use rpds::RedBlackTreeMapSync;

/// An ordered map whose copies are cheap; changing one takes a little longer than changing a `BTreeMap`.
#[derive(Clone, Debug)]
pub(crate) struct SharedMap<K: Ord, V>(RedBlackTreeMapSync<K, V>);

impl<K: Ord, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::default())
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub(crate) fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.0.get_key_value(key)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert_mut(key, value);
    }

    /// Takes a value out and returns it.
    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let value = self.0.get(key).cloned()?;
        self.0.remove_mut(key);
        Some(value)
    }

    /// Returns a value to be changed; a default one where there is none.
    pub(crate) fn get_or_default<Q: Ord + ToOwned<Owned = K> + ?Sized>(&mut self, key: &Q) -> &mut V
    where
        K: Borrow<Q>,
        V: Default,
    {
        if !self.0.contains_key(key) {
            self.0.insert_mut(key.to_owned(), V::default());
        }
        self.0.get_mut(key).expect("the value was put there")
    }

    /// Changes the values that a condition is true of; the others stay shared.
    pub(crate) fn change_where(
        &mut self,
        is_meant: impl Fn(&K, &V) -> bool,
        mut change: impl FnMut(&K, &mut V),
    ) {
        let meant = self.0.iter().filter(|(key, value)| is_meant(key, value));
        let meant: Vec<K> = meant.map(|(key, _)| key.clone()).collect();
        for key in meant {
            if let Some(value) = self.0.get_mut(&key) {
                change(&key, value);
            }
        }
    }

    /// Takes out whatever a condition is not true of.
    pub(crate) fn retain(&mut self, stays: impl Fn(&K, &V) -> bool) {
        let gone = self.0.iter().filter(|(key, value)| !stays(key, value));
        let gone: Vec<K> = gone.map(|(key, _)| key.clone()).collect();
        for key in &gone {
            self.0.remove_mut(key);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::SharedMap;

    #[test]
    fn a_copy_keeps_what_the_other_changes() {
        let mut map = SharedMap::default();
        for number in 0..100 {
            map.insert(number, number.to_string());
        }
        let copy = map.clone();
        map.change_where(|number, _| number % 2 == 0, |_, text| text.push('!'));
        map.retain(|number, _| *number < 50);
        *map.get_or_default(&7) = "seven".to_owned();
        assert_eq!(map.remove(&8), Some("8!".to_owned()));
        assert_eq!(map.remove(&8), None);
        assert_eq!(map.keys().count(), 49);
        assert_eq!(map.get(&7).map(String::as_str), Some("seven"));
        assert!(copy.iter().all(|(number, text)| number.to_string() == *text));
        assert_eq!(copy.iter().count(), 100);
    }
}
