//! Tests of the key file: who can open what, and damage found.

use super::*;

#[test]
fn counts_are_rounded_to_four_significant_bits() {
    for (count, expected) in [(0, 256), (256, 256), (257, 288), (1000, 1024), (100_000, 106_496)] {
        assert_eq!(rounded(count), expected, "{count}");
    }
}

#[test]
fn keys_read_back_and_sites_stay_shut_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyfile");
    let (vault, site) = (VaultId::random().unwrap(), SiteId::random().unwrap());
    let (catalogue, content) = (Key::random().unwrap(), Key::random().unwrap());
    let mut file = KeyFile::new(vault).unwrap();
    file.add_site(site, 1, &content).unwrap();
    let made: Vec<_> = (0..300).map(|_| file.add(Class::Content(site)).unwrap()).collect();
    let (slot, meta) = file.add(Class::Meta).unwrap();
    file.write(&path, &catalogue).unwrap();
    file.add(Class::Meta).unwrap();
    file.write(&path, &catalogue).unwrap();

    let (all, _) = KeyFile::read(&path, vault, &[&catalogue], |_, _| Some(&content)).unwrap();
    assert_eq!((all.len(), all.generation(), all.slots().count()), (302, 2, 302));
    for (slot, key) in &made {
        assert_eq!(all.get(*slot, Class::Content(site)).unwrap().expose(), key.expose());
    }
    let (steward, _) = KeyFile::read(&path, vault, &[&catalogue], |_, _| None).unwrap();
    assert_eq!(steward.get(slot, Class::Meta).unwrap().expose(), meta.expose());
    assert_eq!(steward.get(made[0].0, Class::Content(site)).err().unwrap().kind(), crate::base::Kind::Denied);
    assert!(steward.get(made[0].0, Class::Meta).is_err());
    assert!(KeyFile::read(&path, vault, &[&content], |_, _| None).is_err());
    assert!(KeyFile::read(&path, VaultId::random().unwrap(), &[&catalogue], |_, _| None).is_err());
}

#[test]
fn every_flipped_byte_and_every_cut_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyfile");
    let (vault, catalogue) = (VaultId::random().unwrap(), Key::random().unwrap());
    let mut file = KeyFile::new(vault).unwrap();
    file.write(&path, &catalogue).unwrap();
    let good = std::fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(37).chain([good.len() - 1]) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(KeyFile::read(&path, vault, &[&catalogue], |_, _| None).is_err(), "{at}");
        std::fs::write(&path, &good[..at]).unwrap();
        assert!(KeyFile::read(&path, vault, &[&catalogue], |_, _| None).is_err(), "{at}");
    }
}
