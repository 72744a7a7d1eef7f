//! Regions from text.

use super::{MAX_REGIONS, Region};
use crate::error::{Code, Problem};
use crate::options::python;

/// Reads regions, `x,y` or `left,top,right,bottom`, separated by spaces or semicolons.
/// No text is no region.
///
/// # Errors
/// The first that is wrong, as [`Code::InvalidRegion`].
pub(crate) fn read(key: &str, text: &str) -> Result<Vec<Region>, Problem> {
    // Spaces beside a comma separate nothing.
    let joined = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    let words = joined.split(|c: char| c == ';' || c.is_whitespace()).filter(|word| !word.is_empty());
    // One more than allowed tells as much as all of them.
    let regions = words.take(MAX_REGIONS + 1).map(|word| region(key, word)).collect::<Result<Vec<_>, _>>()?;
    check_regions(key, &regions)?;
    Ok(regions)
}

fn region(key: &str, word: &str) -> Result<Region, Problem> {
    let numbers: Option<Vec<u32>> = word.split(',').map(|number| python::int(number)?.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y]) => Ok(Region::Point { x, y }),
        Some(&[left, top, right, bottom]) => Ok(Region::Box { left, top, right, bottom }),
        _ => {
            let got = python::repr(word);
            Err(invalid(key, &format!("must be 'x,y' or 'left,top,right,bottom' in whole pixels, got: {got}")))
        }
    }
}

/// What can be told of regions without the picture.
///
/// # Errors
/// The first that is wrong, as [`Code::InvalidRegion`].
pub(super) fn check_regions(key: &str, regions: &[Region]) -> Result<(), Problem> {
    if regions.len() > MAX_REGIONS {
        return Err(invalid(key, &format!("must have at most {MAX_REGIONS} regions")));
    }
    let Some(region) = regions.iter().find(|region| region.is_empty()) else { return Ok(()) };
    Err(invalid(
        key,
        &format!("must have its right side beyond its left and its bottom below its top, got: '{region}'"),
    ))
}

fn invalid(key: &str, what: &str) -> Problem {
    Problem::with_message(key, Code::InvalidRegion, format!("'{key}' {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: Region = Region::Point { x: 1, y: 20 };
    const BOX: Region = Region::Box { left: 3, top: 4, right: 50, bottom: 60 };

    fn message(text: &str) -> String {
        let problem = read("keep", text).expect_err(text);
        assert_eq!((problem.field.as_str(), problem.code), ("keep", Code::InvalidRegion));
        problem.message
    }

    #[test]
    fn points_and_boxes_are_read_as_people_write_them() {
        for text in ["1,20 3,4,50,60", "1,20;3,4,50,60", " 1, 20 ;\t3 ,4, 50,60;", "+01,2_0\n3,4,50,٦٠"] {
            assert_eq!(read("keep", text), Ok(vec![POINT, BOX]), "{text:?}");
        }
        for text in ["", " ", ";", " ; ;"] {
            assert_eq!(read("drop", text), Ok(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        assert_eq!(read("keep", &format!("{POINT} {BOX}")), Ok(vec![POINT, BOX]));
    }

    #[test]
    fn what_is_no_region_is_shown() {
        for word in ["a", "1", "1,2,3", "1,2,3,4,5", "-1,2", "1.5,2", "1,", ",", "4294967296,0", "1,2,b,4"] {
            let want = format!("'keep' must be 'x,y' or 'left,top,right,bottom' in whole pixels, got: '{word}'");
            assert_eq!(message(&format!("7,7; {word}; 8")), want);
        }
        assert_eq!(
            message("5,5,5,9"),
            "'keep' must have its right side beyond its left and its bottom below its top, got: '5,5,5,9'"
        );
        assert!(message("5,5,9,4").ends_with("got: '5,5,9,4'"));
    }

    #[test]
    fn a_thousand_regions_are_enough() {
        assert_eq!(read("drop", &"1,2 ".repeat(MAX_REGIONS)).expect("allowed").len(), MAX_REGIONS);
        assert_eq!(message(&"1,2;".repeat(MAX_REGIONS + 1)), "'keep' must have at most 1000 regions");
    }
}
