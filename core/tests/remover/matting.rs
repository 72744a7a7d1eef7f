//! Edges that are solved for, and the colours along them.

use super::*;

pub(crate) fn matted() -> CutOut {
    plain().with(|c| c.matting = Some(Matting { erode_size: 5, ..Matting::default() }))
}

#[test]
fn matting_follows_the_outline_and_takes_the_wall_out_of_it() {
    let output =
        REMOVER.job(ball_png()).options(&cutting(matted())).with_alpha().run_to_pixels().expect("a ball is cut out");
    let picture = output.pixels;
    assert!(picture.data().chunks(4).map(|pixel| pixel[3]).eq(output.alpha.expect("asked for").data().iter().copied()));
    let at = |(x, y): (u32, u32)| &picture.data()[(y * WIDTH + x) as usize * 4..][..4];
    assert_eq!((at(INSIDE)[3], at(OUTSIDE)[3]), (255, 0));
    let is_ball = |x: u32, y: u32| (x as f32 - 60.0).hypot(y as f32 - 45.0) < 28.0;
    let wrong = (0..WIDTH * HEIGHT).filter(|at| {
        let pixel = &picture.data()[*at as usize * 4..][..4];
        pixel[3].abs_diff(if is_ball(at % WIDTH, at / WIDTH) { 255 } else { 0 }) > 25
    });
    assert!(wrong.count() < 20, "the ball's outline is sharp");
    let red = |pixel: &[u8]| pixel.iter().zip(RED).all(|(&got, red)| got.abs_diff(red) < 20);
    assert!(picture.data().chunks(4).filter(|pixel| pixel[3] > 25).all(red), "no wall shines through");
}

#[test]
fn matting_that_is_impossible_leaves_the_colours_to_decontamination() {
    let impossible = Matting { foreground_threshold: 270, ..Matting::default() };
    for keep_colors in [false, true] {
        let start = CutOut::default().with(|c| c.keep_colors = keep_colors);
        let run = |cut_out| REMOVER.job(ball_png()).options(&cutting(cut_out)).run_to_pixels().expect("cut out").pixels;
        assert!(run(start.clone()) == run(start.with(|c| c.matting = Some(impossible))));
    }
}

#[test]
fn a_mask_is_the_alpha_of_the_cut_out_matted_or_not() {
    for cut_out in [plain(), matted(), matted().with(|c| c.invert_mask = true)] {
        let run = |mask| {
            let options = Options::default().with(|o| {
                o.mask = mask;
                o.cut_out = cut_out.clone();
            });
            REMOVER.job(ball_png()).options(&options).run_to_pixels().expect("cut out").pixels
        };
        let (cut, mask) = (run(false), run(true));
        assert!(cut.data().chunks(4).map(|pixel| pixel[3]).eq(mask.data().iter().copied()), "{cut_out:?}");
    }
}

/// What a program sees that makes the alpha of a cut-out 255 for two pixels more.
#[test]
fn an_alpha_that_is_grown_afterwards_shows_the_subjects_colour() {
    for options in [as_png(|_| ()), as_png(|o| o.format = Format::Bmp), as_png(|o| (o.w, o.angle) = (Some(100), 20.0))]
    {
        let cut = removed(&options).into_rgba8();
        let is_seen = |x: i64, y: i64| {
            let inside = x >= 0 && y >= 0 && x < i64::from(cut.width()) && y < i64::from(cut.height());
            inside && cut.get_pixel(x as u32, y as u32).0[3] > 0
        };
        let near = |x: i64, y: i64| (-2..=2).any(|dy| (-2..=2).any(|dx| is_seen(x + dx, y + dy)));
        let mut grown = 0;
        for (x, y, pixel) in cut.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[3] == 0) {
            let far = pixel.0.iter().zip(RED).map(|(got, red)| got.abs_diff(red)).max().unwrap_or_default();
            if near(i64::from(x), i64::from(y)) {
                assert!(far < 60, "{x},{y}: {pixel:?} is not the ball's colour");
                grown += 1;
            }
        }
        assert!(grown > 200, "{grown}");
        assert_eq!(cut.get_pixel(0, 0).0, [0; 4], "farther away there is nothing");
    }
}

#[test]
fn decontamination_changes_the_colours_of_soft_edges_alone() {
    let run = |cut_out| REMOVER.job(ball_png()).options(&cutting(cut_out)).run_to_pixels().expect("cut out").pixels;
    let (plain, clean) = (run(plain()), run(plain().with(|c| c.decontaminate = true)));
    let (mut before, mut after) = (0, 0);
    for (plain, clean) in plain.data().chunks(4).zip(clean.data().chunks(4)) {
        assert_eq!(plain[3], clean[3]);
        let off = |pixel: &[u8]| pixel.iter().zip(RED).map(|(&got, red)| u32::from(got.abs_diff(red))).sum::<u32>();
        let is_told = clean[3] > 0 || clean == [0; 4] || off(clean) < 60;
        assert!(is_told, "what is fully transparent is black, or red beyond the edge: {clean:?}");
        if (26..230).contains(&plain[3]) {
            (before, after) = (before + off(plain), after + off(clean));
        }
    }
    assert!(before > 0 && after < before / 2, "the ball is red to its edge: {before} {after}");
}

#[test]
fn alpha_that_a_picture_has_limits_the_matted_one() {
    let glass = RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let Rgb([r, g, b]) = *ball().get_pixel(x, y);
        image::Rgba([r, g, b, if x < 60 { 255 } else { 90 }])
    });
    let output = REMOVER.job(&png(glass)[..]).options(&cutting(matted())).run_to_pixels().expect("a ball is cut out");
    let alpha = |x: u32| output.pixels.data()[(45 * WIDTH + x) as usize * 4 + 3];
    assert_eq!((alpha(50), alpha(70)), (255, 90));
}

#[test]
fn matting_tells_how_far_it_is_and_hears_a_stop() {
    let fractions = RefCell::new(Vec::new());
    let token = CancelToken::new();
    let note = |progress: Progress| {
        if progress.stage == Stage::CutOut {
            fractions.borrow_mut().push(progress.fraction);
        }
    };
    REMOVER.job(ball_png()).options(&cutting(matted())).progress(&note).run().expect("a ball is cut out");
    let fractions = fractions.into_inner();
    assert!(fractions.is_sorted() && fractions.len() > 10 && fractions[fractions.len() - 1] == 1.0, "{fractions:?}");
    let cancel = |progress: Progress| {
        if progress.stage == Stage::CutOut && progress.fraction > 0.5 {
            token.cancel();
        }
    };
    let job = REMOVER.job(ball_png()).options(&cutting(matted())).progress(&cancel).cancel(&token);
    assert_eq!(job.run().expect_err("it was cancelled").code(), Code::Cancelled);
}
