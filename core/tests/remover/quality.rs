//! How true an encoded cut-out is.

use remrembg::{Code, Format, Options};

use crate::{REMOVER, ball_png};

/// Of a cut-out whose mask needs no model: the ball's brightness will do.
fn length(format: Format, quality: u8) -> usize {
    let options = Options::default().with(|o| {
        o.format = format;
        o.quality = Some(quality);
    });
    let job = REMOVER.job(ball_png()).mask_from(ball_png()).options(&options);
    job.run().expect("it is cut out").data.len()
}

#[test]
fn a_higher_quality_makes_a_larger_file_where_the_format_is_lossy() {
    for format in [Format::Webp, Format::Jpeg] {
        assert!(length(format, 1) < length(format, 100), "{format:?}");
    }
    for format in [Format::Png, Format::Bmp] {
        assert_eq!(length(format, 1), length(format, 100), "{format:?}");
    }
}

#[test]
fn a_quality_out_of_range_is_told_with_all_other_problems() {
    let job = REMOVER.job(&b""[..]).pairs([("quality", "0"), ("w", "abc"), ("zoom", "2"), ("bg_color", "fff")]);
    let error = job.run().expect_err("nothing is right");
    let fields: Vec<&str> = error.details().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["image", "w", "bg_color", "quality", "zoom"]);
    assert_eq!(error.details()[3].message, "'quality' must be at least 1, got: 0");
}

#[test]
fn a_quality_out_of_range_is_refused_also_where_it_makes_no_difference() {
    let options = Options::default().with(|o| {
        o.format = Format::Png;
        o.quality = Some(101);
    });
    let job = || REMOVER.job(ball_png()).options(&options);
    for error in [job().run().err(), job().run_to_pixels().err()] {
        let error = error.expect("it is refused");
        assert_eq!((error.code(), error.message()), (Code::TooLarge, "'quality' must be at most 100, got: 101"));
        assert_eq!((error.details()[0].field.as_str(), error.status()), ("quality", 400));
    }
}
