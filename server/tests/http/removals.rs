//! What is answered with a picture.

use image::{GenericImageView, ImageFormat};
use remrembg::Options;

use crate::service::{field, image, part, png, post, remover, service};

#[test]
fn a_form_comes_back_as_a_picture_of_the_type_and_size_that_headers_tell() {
    let send = service(&[]);
    let formats = [
        ("", "image/webp", ImageFormat::WebP),
        ("PNG", "image/png", ImageFormat::Png),
        ("jpg", "image/jpeg", ImageFormat::Jpeg),
        ("bmp", "image/bmp", ImageFormat::Bmp),
    ];
    for (format, mime, guess) in formats {
        let answer = send(post(&[image(&png()), field("format", format), field("w", "30")]));
        assert_eq!((answer.status, answer.header("content-type")), (200, mime));
        assert_eq!((answer.header("x-width"), answer.header("x-height")), ("30", "20"));
        let picture = image::load_from_memory_with_format(&answer.body, guess).expect("it is what it says");
        assert_eq!(picture.dimensions(), (30, 20), "{mime}");
        assert!(picture.get_pixel(15, 10).0[0] > 180, "{mime}: the ball is there");
        let corner = picture.get_pixel(0, 0).0;
        assert!(corner[3] == 0 || corner[..3].iter().all(|&c| c > 250), "{mime}: the background is not: {corner:?}");
        assert!(answer.header("x-request-id").len() > 30);
        let part = |name| answer.header(name).parse::<f64>().expect("a number");
        assert!((0.05..0.9).contains(&part("x-coverage")) && (0.5..=1.0).contains(&part("x-confidence")), "{mime}");
        let bounds: Vec<u32> = answer.header("x-bounds").split(',').filter_map(|side| side.parse().ok()).collect();
        assert!(bounds.len() == 4 && bounds[0] < bounds[2] && bounds[1] < bounds[3], "{bounds:?}");
    }
}

#[test]
fn fields_come_in_any_order_and_what_is_unknown_is_passed_over() {
    let send = service(&[]);
    let picture = image(&png());
    let [w, mask, png_please] = [field("w", "30"), field("mask", "true"), field("format", "png")];
    let unknown = [field("return_base64", "true"), part("notes", Some("a.txt"), b"what"), field("engine", "tract")];
    let orders = [
        vec![picture.clone(), w.clone(), mask.clone(), png_please.clone()],
        vec![png_please.clone(), mask.clone(), picture.clone(), w.clone()],
        [&unknown[..], &[w, mask, png_please, picture]].concat(),
    ];
    let answers = orders.map(|order| send(post(&order)));
    let mask = image::load_from_memory(&answers[0].body).expect("it is a picture");
    assert_eq!(mask.color(), image::ColorType::L8, "the mask was asked for");
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
}

#[test]
fn the_same_bytes_come_as_from_core_with_options_of_our_own_too() {
    let send = service(&[]);
    let pairs = [
        ("preset", "best"),
        ("quality", "40"),
        ("decontaminate", "off"),
        ("keep", "30,20"),
        ("angle", "15"),
        ("h", "25"),
    ];
    let expected = remover().remove(&png(), &Options::from_pairs(pairs).expect("they are good")).expect("it runs");
    let parts = pairs.map(|(key, value)| field(key, value));
    let answer = send(post(&[&parts[..], &[image(&png())]].concat()));
    assert!(answer.status == 200 && answer.body == expected.data);
}

#[test]
fn a_mask_that_is_brought_stands_in_for_the_model() {
    let send = service(&[]);
    let left = image::GrayImage::from_fn(60, 40, |x, _| image::Luma([if x < 30 { 255 } else { 0 }]));
    let mut mask = std::io::Cursor::new(Vec::new());
    left.write_to(&mut mask, ImageFormat::Png).expect("a mask is encoded");
    let brought = part("mask", Some("mask.png"), mask.get_ref());
    let options = [field("refine", "false"), field("format", "png"), field("mask", "true")];
    let answer = send(post(&[&options[..], &[image(&png()), brought]].concat()));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let made = image::load_from_memory(&answer.body).expect("it is a picture").into_luma8();
    assert!(made == left, "the mask is the one that was brought");
}
