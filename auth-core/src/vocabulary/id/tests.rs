use proptest::prelude::{any, prop_assert_eq, proptest};

use super::*;

#[test]
fn an_id_is_its_canonical_text() {
    for text in ["0", "7", "-7", "170141183460469231731687303715884105727"] {
        assert!(matches!(Borrowed::from_text(text), Borrowed::Integer(_)), "{text}");
    }
    for text in [
        "",
        "-",
        "-0",
        "+7",
        "07",
        "-07",
        " 7",
        "7 ",
        "1_0",
        "٣",
        "1e0",
        "170141183460469231731687303715884105728",
    ] {
        assert!(matches!(Borrowed::from_text(text), Borrowed::Text(_)), "{text}");
    }
    let uuid = Id::from(Uuid::try_parse(UUID).unwrap());
    assert_eq!(Id::from(UUID), uuid);
    assert_eq!(hashed(&Id::from(UUID)), hashed(&uuid));
    assert_eq!(Id::from(UUID).cmp(&uuid), Ordering::Equal);
    assert_ne!(Id::from(UUID.to_uppercase()), uuid);
}

const UUID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn hashed(id: &Id) -> u64 {
    use std::hash::{BuildHasher as _, RandomState};

    static STATE: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
    STATE.hash_one(id)
}

/// A column of the type `uuid` takes each of these texts for the same value; a text column does not.
#[test]
fn a_uuid_is_meant_by_each_of_its_texts_and_a_text_to_the_letter() {
    let uuid = Uuid::try_parse(UUID).unwrap();
    for text in [
        UUID.to_owned(),
        UUID.to_uppercase(),
        format!("{{{UUID}}}"),
        uuid.simple().to_string(),
        uuid.urn().to_string(),
    ] {
        assert!(IdRef::from(uuid).means(IdRef::from(&text)), "{text}");
        assert!(IdRef::from(&text).of_principal().means(IdRef::from(uuid)), "{text}");
        assert!(IdRef::from(&text).of_principal().means(IdRef::from(UUID)), "{text}");
        assert_eq!(IdRef::from(UUID).means(IdRef::from(&text)), text == UUID, "{text}");
        assert_eq!(IdRef::from(&text).means(IdRef::from(uuid)), text == UUID, "{text}");
    }
    assert!(!IdRef::from(uuid).means(IdRef::from("67e55044-10b1-426f-9247-bb680e5fe0c9")));
    assert!(!IdRef::from(uuid).means(IdRef::from(7)));
}

#[test]
fn what_no_column_can_hold_means_no_one() {
    for text in ["", "\0", "a\0"] {
        assert!(!IdRef::from(text).means(IdRef::from(text)), "{text:?}");
    }
    assert!(IdRef::from("a").means(IdRef::from("a")));
}

#[test]
fn no_comparison_allocates() {
    let uuid = Uuid::try_parse(UUID).unwrap();
    let (upper, ids) = (UUID.to_uppercase(), [Id::from(uuid), Id::from(UUID), Id::from(7)]);
    let counted = allocation_counter::measure(|| {
        for id in &ids {
            std::hint::black_box(id.as_id_ref().means(IdRef::from(&upper)));
            std::hint::black_box(id.as_id_ref().of_principal().means(IdRef::from(&upper)));
            std::hint::black_box(*id == IdRef::from(&upper));
        }
    });
    assert_eq!(counted.count_total, 0);
}

proptest! {
    #[test]
    fn ids_are_equal_exactly_when_their_texts_are(a in "-?[0-9]{0,3}|[a-z0-9]{0,2}", b in "-?[0-9]{0,3}|[a-z0-9]{0,2}") {
        prop_assert_eq!(Id::from(a.as_str()) == Id::from(b.as_str()), a == b);
    }

    #[test]
    fn reading_json_never_panics(bytes in any::<Vec<u8>>(), digits in "-?[0-9]{1,400}([.eE][-+0-9]{1,9})?") {
        let _ = serde_json::from_slice::<Id>(&bytes);
        if let Ok(id) = serde_json::from_str::<Id>(&digits) {
            prop_assert_eq!(id.to_string(), digits);
        }
    }

    #[test]
    fn text_and_json_round_trip(text in any::<String>(), integer in any::<i64>()) {
        prop_assert_eq!(Id::from(text.as_str()).to_string(), text.as_str());
        for id in [Id::from(text), Id::from(integer)] {
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), id);
        }
    }
}
