//! Where the things of one id live together: the same place in every process and every version.

use uuid::Uuid;

/// One of `places` for an id (0 places count as 1). Half of an id is random, so folding it spreads
/// ids evenly. The rule is for ever: another one would look for what is stored where it is not.
pub(crate) fn place_of(id: Uuid, places: u16) -> u16 {
    let (high, low) = id.as_u64_pair();
    let place = (high ^ low) % u64::from(places.max(1));
    u16::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_spread_and_stay() {
        let mut counts = [0; 4];
        for number in 0..4_000_u128 {
            let id = Uuid::new_v5(&Uuid::nil(), &number.to_be_bytes());
            counts[usize::from(place_of(id, 4))] += 1;
        }
        assert!(
            counts.iter().all(|count| (900..1_100).contains(count)),
            "{counts:?}"
        );
        let id = Uuid::from_u128(0x0190_2f4e_0000_7000_8000_0000_0000_002a);
        assert_eq!(
            (place_of(id, 4), place_of(id, 3), place_of(id, 0)),
            (2, 0, 0)
        );
    }
}
