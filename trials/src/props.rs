//! What the story needs besides the vault: people, deliveries, rules, letters.

use std::path::Path;

use subrosa::base::secret::Passphrase;
use subrosa::base::time::Moment;
use subrosa::crypto::identity::Identity;
use subrosa::crypto::kdf::KdfParams;
use subrosa::sample;

/// The passphrase of everybody in the story.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple 9";
const NEW_PASSPHRASE: &str = "seven quiet herons cross the bay";

/// Everybody whose keys are made before the story begins.
const PEOPLE: [&str; 8] = ["Ada", "Ben", "Cid", "Eve", "Fay", "Gus", "Hal", "Board"];

/// Writes what the story needs besides the vault: identities into `world/people`, everything else into `inputs`.
pub(crate) fn prepare(world: &Path, inputs: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(world.join("people"))?;
    std::fs::create_dir_all(world.join("out"))?;
    std::fs::create_dir_all(inputs)?;
    for name in PEOPLE {
        let now: Moment = "2026-01-01T00:00:00Z".parse()?;
        let identity = Identity::generate(name, "EE".parse()?, now)?;
        let sealed = identity.seal(&Passphrase::new(PASSPHRASE.into()), KdfParams::LEAST)?;
        let name = name.to_lowercase();
        std::fs::write(world.join(format!("people/{name}.id")), sealed)?;
        std::fs::write(inputs.join(format!("{name}.card")), identity.card().to_bytes()?)?;
    }
    let study = sample::STUDY;
    let more = study.replacen(
        "[[form]]",
        "[[site]]\nprefix = \"LT\"\nname = \"Lithuania\"\ncountry = \"LT\"\nboards = [\"university\"]\n\n[[form]]",
        1,
    );
    let rule = "@id(\"no-level-1-of-armenia\")\n@reason(\"Armenia gives out level 2 and 3 only\")\nforbid (principal, action == Action::\"release\", resource)\nwhen { resource.country == \"AM\" && context.level == 1 };\n";
    for (name, bytes) in [
        ("pass", PASSPHRASE.as_bytes()),
        ("pass.new", NEW_PASSPHRASE.as_bytes()),
        ("study.toml", study.as_bytes()),
        ("more.toml", more.as_bytes()),
        ("rules.cedar", rule.as_bytes()),
        ("letter.pdf", b"%PDF-1.4 a letter of the board"),
        ("marks.jsonl", &marks()?),
    ] {
        std::fs::write(inputs.join(name), bytes)?;
    }
    for (folder, files) in [("delivery", sample::FIRST), ("later", sample::LATER)] {
        for file in files {
            let path = inputs.join(folder).join(file.path);
            std::fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
            std::fs::write(path, file.bytes)?;
        }
    }
    Ok(())
}

/// Everything that the sample calls secret.
pub(crate) fn secrets() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let all: serde_json::Value = serde_json::from_str(sample::SECRETS)?;
    let lists = ["names", "handles", "numbers", "addresses", "words"];
    let of = |list| all.get(list).and_then(|l| l.as_array()).into_iter().flatten();
    Ok(lists.into_iter().flat_map(of).filter_map(|w| w.as_str()).map(str::to_owned).collect())
}

fn marks() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let all: serde_json::Value = serde_json::from_str(sample::SECRETS)?;
    let mut out = Vec::new();
    for (class, list) in [("person", "names"), ("contact", "handles"), ("number", "numbers"), ("address", "addresses")]
    {
        for words in all.get(list).and_then(|l| l.as_array()).into_iter().flatten() {
            serde_json::to_writer(&mut out, &serde_json::json!({ "words": words, "class": class }))?;
            out.push(b'\n');
        }
    }
    Ok(out)
}
