//! The models that can be had by name.

use super::{Commercial, ModelSpec, OutputRule, Recipe};
use crate::error::{Code, Error, Result};

/// Any garment is subject; rembg hands out one mask for each kind instead.
const CLOTHES: Recipe = Recipe { output: OutputRule::Classes, ..Recipe::U2NET.square(768) };

const ANIME: Recipe = Recipe { std: [1.0; 3], ..Recipe::U2NET.square(1024) };

/// The owner's licence is that of the code, and no licence of the weights was found.
const DIS: Commercial = Commercial::Unclear {
    why: "the licence is the code's; of the weights nothing is said",
    source: "https://github.com/xuebinqin/DIS/issues/150",
};

/// The owner calls the weights MIT, and says that training them on pictures that forbid commercial use was a mistake.
const BIREFNET: Commercial = Commercial::Unclear {
    why: "the owner calls the weights MIT, and some of the training pictures a mistake",
    source: "https://github.com/ZhengPeng7/BiRefNet/issues/306",
};

/// rembg's names for an ONNX file of the caller's own, and how each is fed.
pub const CUSTOM: [(&str, &str); 3] = [
    ("u2net_custom", "size=320x320"),
    ("dis_custom", "size=1024x1024 mean=0.5,0.5,0.5 std=1,1,1"),
    ("ben_custom", "size=1024x1024 mean=0.5,0.5,0.5 std=1,1,1"),
];

/// Every model that can be had by name, the bundled one first.
///
/// File names and recipes are those of rembg's source, sizes and checksums those that several
/// projects publish alike for rembg's release files. A licence is the one that the model's owner states;
/// where the owner does not say that it covers the weights, or says that it may not, commercial use is unclear.
/// What the training pictures' owners ask for is not looked into.
pub const MODELS: &[ModelSpec] = &[
    ModelSpec {
        name: "u2netp",
        summary: "Small and fast, any subject; bundled",
        file: "u2netp.onnx",
        size: 4_574_861,
        sha256: "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        recipe: Recipe::U2NET,
        license: "Apache-2.0",
        license_source: "https://github.com/xuebinqin/U-2-Net/issues/208",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "u2net",
        summary: "Any subject",
        file: "u2net.onnx",
        size: 175_997_641,
        sha256: "8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
        recipe: Recipe::U2NET,
        license: "Apache-2.0",
        license_source: "https://github.com/xuebinqin/U-2-Net/issues/208",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "u2net_human_seg",
        summary: "People",
        file: "u2net_human_seg.onnx",
        size: 175_997_641,
        sha256: "01eb6a29a5c4d8edb30b56adad9bb3a2a0535338e480724a213e0acfd2d1c73c",
        recipe: Recipe::U2NET,
        license: "Apache-2.0",
        license_source: "https://github.com/xuebinqin/U-2-Net/issues/208",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "u2net_cloth_seg",
        summary: "Clothes that people wear, the people themselves cut away",
        file: "u2net_cloth_seg.onnx",
        size: 176_194_565,
        sha256: "6d2cbc27bfbdc989e1fd325656d65902ecc6a3ccbe94b2d3655ec114efcb128e",
        recipe: CLOTHES,
        license: "MIT",
        license_source: "https://github.com/levindabhi/cloth-segmentation/blob/main/LICENSE",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "silueta",
        summary: "Any subject; u2net made smaller",
        file: "silueta.onnx",
        size: 44_173_029,
        sha256: "75da6c8d2f8096ec743d071951be73b4a8bc7b3e51d9a6625d63644f90ffeedb",
        recipe: Recipe::U2NET,
        license: "Apache-2.0",
        license_source: "https://github.com/xuebinqin/U-2-Net/issues/295",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "isnet-general-use",
        summary: "Any subject, finer edges",
        file: "isnet-general-use.onnx",
        size: 178_648_008,
        sha256: "60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
        recipe: Recipe::ISNET,
        license: "Apache-2.0",
        license_source: "https://github.com/xuebinqin/DIS/blob/main/LICENSE.md",
        commercial: DIS,
    },
    ModelSpec {
        name: "isnet-anime",
        summary: "Drawn characters",
        file: "isnet-anime.onnx",
        size: 176_069_933,
        sha256: "f15622d853e8260172812b657053460e20806f04b9e05147d49af7bed31a6e99",
        recipe: ANIME,
        license: "Apache-2.0",
        license_source: "https://github.com/SkyTNT/anime-segmentation/blob/main/LICENSE",
        commercial: Commercial::Allowed,
    },
    ModelSpec {
        name: "birefnet-general",
        summary: "Any subject, finest edges",
        file: "BiRefNet-general-epoch_244.onnx",
        size: 972_666_916,
        sha256: "58f621f00f5d756097615970a88a791584600dcf7c45b18a0a6267535a1ebd3c",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-general-lite",
        summary: "Any subject, fine edges",
        file: "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        size: 224_005_088,
        sha256: "5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-portrait",
        summary: "Portraits of people",
        file: "BiRefNet-portrait-epoch_150.onnx",
        size: 972_666_916,
        sha256: "1ba1c8ff5a7bbfadc8d8d13fb11d7be793f91f23d9d466549e37a854f6668f99",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-dis",
        summary: "Objects with fine structure",
        file: "BiRefNet-DIS-epoch_590.onnx",
        size: 972_666_916,
        sha256: "6470117bac6f8d82a3f62921056f52d0f5c4d36d1d832096331d5ea38a03acb5",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-hrsod",
        summary: "Salient objects in large pictures",
        file: "BiRefNet-HRSOD_DHU-epoch_115.onnx",
        size: 972_666_916,
        sha256: "4f5837663194fb88f603b76782eae05a3c29f5749872ca1bfb636bd26e7f6bfc",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-cod",
        summary: "Camouflaged objects",
        file: "BiRefNet-COD-epoch_125.onnx",
        size: 972_666_916,
        sha256: "91ec48f566db475cf6e4caa7e9cd997f352edfcc372372f437e2fbefc1557b13",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "birefnet-massive",
        summary: "Any subject, trained on more pictures",
        file: "BiRefNet-massive-TR_DIS5K_TR_TEs-epoch_420.onnx",
        size: 972_666_916,
        sha256: "a94814cac438a31f95287811882628644a04b22d313ef3071d2ba904b5f627b8",
        recipe: Recipe::BIREFNET,
        license: "MIT",
        license_source: "https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
        commercial: BIREFNET,
    },
    ModelSpec {
        name: "bria-rmbg",
        summary: "Any subject, finest edges",
        file: "bria-rmbg-2.0.onnx",
        size: 1_024_331_469,
        sha256: "5b486f08200f513f460da46dd701db5fbb47d79b4be4b708a19444bcd4e79958",
        recipe: Recipe::U2NET.square(1024),
        license: "CC-BY-NC-4.0",
        license_source: "https://huggingface.co/briaai/RMBG-2.0",
        commercial: Commercial::Forbidden,
    },
];

/// The model of that name.
///
/// # Errors
/// [`Code::UnknownModel`], whose message names the likeliest and every other.
pub fn find(name: &str) -> Result<&'static ModelSpec> {
    MODELS.iter().find(|spec| spec.name == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    let names: Vec<_> = MODELS.iter().map(|spec| spec.name).collect();
    let hint = closest(name, &names).map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
    let all = names.join(", ");
    Error::with_message(Code::UnknownModel, format!("Unknown model '{name}'.{hint} Models: {all}"))
}

/// The name that needs the fewest single-letter changes, two at most.
fn closest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let near = names.iter().map(|near| (distance(&plain(name), &plain(near)), *near)).min()?;
    (near.0 <= 2).then_some(near.1)
}

/// The edit distance of Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let mut above: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut row = vec![left];
        for ((diagonal, up), y) in above.iter().zip(above.iter().skip(1)).zip(b.chars()) {
            left = (diagonal + usize::from(x != y)).min(up.min(&left) + 1);
            row.push(left);
        }
        above = row;
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{MODELS, distance, find};
    use crate::error::Code;
    use crate::models::Commercial;

    #[test]
    fn checksums_are_hexadecimal_and_names_are_unique() {
        let hex = |text: &str, digits| text.len() == digits && text.chars().all(|c| "0123456789abcdef".contains(c));
        for (i, spec) in MODELS.iter().enumerate() {
            assert!(hex(spec.sha256, 64), "{}", spec.name);
            assert!(MODELS[..i].iter().all(|other| other.name != spec.name && other.sha256 != spec.sha256));
        }
    }

    #[test]
    fn a_licence_that_forbids_commercial_use_is_announced_by_name() {
        let notice = find("bria-rmbg").unwrap().notice().unwrap();
        assert!(notice.contains("bria-rmbg") && notice.contains("CC-BY-NC-4.0"), "{notice}");
        assert!(notice.contains("forbids commercial use"), "{notice}");
        for spec in MODELS {
            let non_commercial = spec.license.contains("-NC-");
            assert_eq!(spec.commercial == Commercial::Forbidden, non_commercial, "{}", spec.name);
            assert_eq!(spec.notice().is_some(), non_commercial, "{}", spec.name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_likeliest_and_all() {
        let message = |name| {
            let error = find(name).unwrap_err();
            assert_eq!(error.code(), Code::UnknownModel);
            error.message().to_owned()
        };
        assert!(message("u2nte").contains("Did you mean 'u2net'?"));
        assert!(message("Isnet_General_Use").contains("Did you mean 'isnet-general-use'?"));
        assert!(!message("quite another").contains("Did you mean"));
        assert!(MODELS.iter().all(|spec| message("x").contains(spec.name)));
    }

    #[test]
    fn edit_distance_counts_changed_added_and_lost_letters() {
        for (a, b, want) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0)] {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }
}
