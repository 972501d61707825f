//! Random numbers of the world: one generator per entity, so that adding an entity never shifts another's numbers.

use std::time::Duration;

/// A small seeded generator (splitmix64); not for secrets.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The generator of one entity of a world with this seed.
    #[must_use]
    pub fn for_entity(seed: u64, entity: &str) -> Self {
        // FNV-1a: stable across Rust versions, unlike the standard library's hashers.
        let hash = entity
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(seed ^ hash)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A span between `least` and `most`, in whole milliseconds.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX);
        least + Duration::from_millis(self.below(spread.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_have_their_own_stable_numbers() {
        let mut first = Rng::for_entity(7, "c1/work");
        let mut again = Rng::for_entity(7, "c1/work");
        let mut other = Rng::for_entity(7, "c2/work");
        let number = first.next_u64();
        assert_eq!(number, again.next_u64());
        assert_ne!(number, other.next_u64());
        let span = first.between(Duration::from_secs(10), Duration::from_secs(19));
        assert!(span >= Duration::from_secs(10) && span <= Duration::from_secs(19));
    }
}
