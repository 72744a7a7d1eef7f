//! Results in buffers of the caller's, and alpha that is kept.

use super::*;

#[test]
fn a_result_fills_the_callers_buffer_in_its_own_channels() {
    let ball = ball();
    let view = PixelView::new(ball.as_raw(), WIDTH, HEIGHT, Layout::Rgb8, WIDTH as usize * 3).expect("it fits");
    let at = |(x, y): (u32, u32)| (y * WIDTH + x) as usize;
    let mut bgra = vec![9; (WIDTH * HEIGHT) as usize * 4];
    let target = PixelViewMut::new(&mut bgra, WIDTH, HEIGHT, Layout::Rgba8, WIDTH as usize * 4).expect("it fits");
    REMOVER.job(view).run_into(&mut target.with_order(ChannelOrder::Bgr)).expect("it is removed");
    let (inside, outside) = (&bgra[at(INSIDE) * 4..][..4], &bgra[at(OUTSIDE) * 4..][..4]);
    assert!(inside[2] == RED[0] && inside[0] == RED[2] && inside[3] > 250, "{inside:?}");
    assert!(outside[3] < 5, "{outside:?}");

    let mut rgb = vec![9; (WIDTH * HEIGHT) as usize * 3];
    let mut target = PixelViewMut::new(&mut rgb, WIDTH, HEIGHT, Layout::Rgb8, WIDTH as usize * 3).expect("it fits");
    REMOVER.job(view).run_into(&mut target).expect("it is removed");
    assert!(rgb[at(OUTSIDE) * 3..][..3].iter().all(|value| *value > 250), "white behind it");
}

#[test]
fn a_result_that_does_not_fit_is_refused_before_the_model_runs() {
    let picture = ball();
    let view = PixelView::new(picture.as_raw(), WIDTH, HEIGHT, Layout::Rgb8, WIDTH as usize * 3).expect("it fits");
    let stages = RefCell::new(Vec::new());
    let progress = |progress: Progress| stages.borrow_mut().push(progress.stage);
    let options = Options::default().with(|o| o.w = Some(60));
    let (layout, size) = (Layout::Rgba8, Some((WIDTH, HEIGHT)));
    let job = REMOVER.job(view).options(&options).progress(&progress).for_buffer(layout, size);
    let error = job.run_to_pixels().expect_err("half the width");
    assert_eq!(error.code(), Code::BadPixels);
    assert_eq!(error.message(), "The result has 60×45 pixels, but the buffer has 120×90");
    assert!(!stages.borrow().contains(&Stage::Segment), "{stages:?}");
    let error = REMOVER.job(view).for_buffer(Layout::Gray8, None).run_to_pixels().expect_err("a cut-out is not grey");
    assert_eq!(error.message(), "A grey buffer holds a mask alone: ask for 'mask'");
}

#[test]
fn kept_colours_are_the_pictures_own_under_a_clear_alpha() {
    let keep = CutOut::default().with(|c| c.keep_colors = true);
    let output = REMOVER
        .job(ball_png())
        .options(&as_png(|_| ()).with(|o| o.cut_out = keep.clone()))
        .run()
        .expect("a ball is cut out");
    let picture = image::load_from_memory(&output.data).expect("a PNG").into_rgba8();
    let ball = ball();
    assert!(picture.pixels().zip(ball.pixels()).all(|(kept, own)| kept.0[..3] == own.0));
    assert_eq!(picture.get_pixel(OUTSIDE.0, OUTSIDE.1).0[3], 0);
}

#[test]
fn kept_colours_stay_in_a_webp_and_through_resizing_and_turning() {
    let keep = CutOut::default().with(|c| c.keep_colors = true);
    let webp = as_png(|o| o.format = Format::Webp);
    let half = as_png(|o| o.w = Some(WIDTH / 2));
    let turned = as_png(|o| o.angle = 30.0);
    for (name, options, above) in [("webp", webp, 36), ("half", half, 18), ("turned", turned, 36)] {
        let options = options.with(|o| o.cut_out = keep.clone());
        let file = REMOVER.job(ball_png()).options(&options).run().expect("a ball is cut out").data;
        let picture = image::load_from_memory(&file).expect("a picture").into_rgba8();
        let [r, g, b, alpha] = picture.get_pixel(picture.width() / 2, picture.height() / 2 - above).0;
        assert_eq!(alpha, 0, "{name}: beyond the ball");
        assert!([r, g, b].iter().all(|value| value.abs_diff(213) < 14), "{name}: the wall, not {:?}", [r, g, b]);
    }
}

#[test]
fn a_kept_alpha_channel_survives_an_opaque_colour_but_not_jpeg() {
    let keep = CutOut::default().with(|c| c.keep_alpha = true);
    for (format, channels) in [(Format::Png, 4), (Format::Jpeg, 3)] {
        let options = Options::default().with(|o| {
            o.format = format;
            o.bg_color = Some(Color::WHITE);
        });
        let job = || REMOVER.job(ball_png()).options(&options.clone().with(|o| o.cut_out = keep.clone()));
        let picture = image::load_from_memory(&job().run().expect("cut out").data).expect("a picture");
        assert_eq!(picture.color().channel_count(), channels, "{format:?}");
        assert!(picture.into_rgba8().pixels().all(|pixel| pixel.0[3] == 255));
        let pixels = job().run_to_pixels().expect("cut out").pixels;
        assert_eq!((pixels.layout(), &pixels.data()[..4]), (Layout::Rgba8, &[255; 4][..]));
    }
}
