//! The numbers that C sees. A number keeps its meaning for ever: new ones go to
//! the end, and one that has lost its meaning is not given again.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::LazyLock;

use remrembg::{ChannelOrder, Code, ErrorKind, Layout, Stage};

use crate::guard::quietly;
use crate::text::for_c;

/// What a function answers: #REMREMBG_OK, or why it failed. A number never gets
/// another meaning; later versions may add some, so treat one that you do not
/// know as a failure.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum remrembg_code {
    /// It went well.
    REMREMBG_OK = 0,
    /// Two or more problems with the request; the JSON body lists them.
    REMREMBG_MULTIPLE = 1,
    /// There is no picture.
    REMREMBG_NO_IMAGE = 2,
    /// The file name is empty.
    REMREMBG_NO_FILE_SELECTED = 3,
    /// The suffix of the path or of the file name is none of those allowed.
    REMREMBG_FILE_TYPE = 4,
    /// The file has no bytes.
    REMREMBG_EMPTY_FILE = 5,
    /// The file has more bytes than max_bytes.
    REMREMBG_FILE_TOO_LARGE = 6,
    /// Not a picture, or one that breaks.
    REMREMBG_CORRUPT_IMAGE = 7,
    /// The picture is wider than max_side.
    REMREMBG_IMAGE_TOO_WIDE = 8,
    /// The picture is taller than max_side.
    REMREMBG_IMAGE_TOO_TALL = 9,
    /// Decoding the picture needs more than decode_memory.
    REMREMBG_TOO_MUCH_MEMORY = 10,
    /// Sizes of a pixel buffer contradict each other or the result.
    REMREMBG_BAD_PIXELS = 11,
    /// Text where an integer is needed.
    REMREMBG_NOT_AN_INTEGER = 12,
    /// An integer below its range.
    REMREMBG_TOO_SMALL = 13,
    /// An integer above its range.
    REMREMBG_TOO_LARGE = 14,
    /// Text where a number is needed.
    REMREMBG_NOT_A_NUMBER = 15,
    /// An angle outside -360 to 360 degrees.
    REMREMBG_ANGLE_OUT_OF_RANGE = 16,
    /// An output format that does not exist.
    REMREMBG_INVALID_FORMAT = 17,
    /// A colour that is neither hex nor a CSS name.
    REMREMBG_INVALID_COLOR = 18,
    /// Mask and bg_color at once.
    REMREMBG_MASK_WITH_BG_COLOR = 19,
    /// A key that does not exist.
    REMREMBG_UNKNOWN_OPTION = 20,
    /// A recipe that says something impossible.
    REMREMBG_INVALID_RECIPE = 21,
    /// The caller asked for a stop.
    REMREMBG_CANCELLED = 22,
    /// A model's name that does not exist.
    REMREMBG_UNKNOWN_MODEL = 23,
    /// A known model whose weights are not on this machine.
    REMREMBG_MODEL_NOT_FETCHED = 24,
    /// Weights that differ from their checksum, or that cannot be read.
    REMREMBG_MODEL_DAMAGED = 25,
    /// A model whose inputs or outputs differ from its description.
    REMREMBG_MODEL_SHAPE = 26,
    /// The engine asked for is not to be had.
    REMREMBG_ENGINE_UNAVAILABLE = 27,
    /// The engine failed while it ran.
    REMREMBG_ENGINE_FAILED = 28,
    /// A file that could not be read.
    REMREMBG_CANNOT_READ = 29,
    /// An argument that no program should pass: NULL where it is not allowed, a
    /// handle that is not one or was freed, a misaligned pointer, a size that cannot be.
    REMREMBG_MISUSE = 30,
    /// A fault of remrembg's own.
    REMREMBG_INTERNAL = 31,
    /// Another word than those that an option takes.
    REMREMBG_INVALID_CHOICE = 32,
    /// A point or box that is none, or that lies outside the picture.
    REMREMBG_INVALID_REGION = 33,
    /// The removal needs more memory than the setting memory has for all.
    REMREMBG_OVER_BUDGET = 34,
}

impl remrembg_code {
    /// The codes of accounts are a server's and never come up here.
    pub(crate) fn of(code: Code) -> Self {
        match code {
            Code::Multiple => Self::REMREMBG_MULTIPLE,
            Code::NoImage => Self::REMREMBG_NO_IMAGE,
            Code::NoFileSelected => Self::REMREMBG_NO_FILE_SELECTED,
            Code::FileType => Self::REMREMBG_FILE_TYPE,
            Code::EmptyFile => Self::REMREMBG_EMPTY_FILE,
            Code::FileTooLarge => Self::REMREMBG_FILE_TOO_LARGE,
            Code::CorruptImage => Self::REMREMBG_CORRUPT_IMAGE,
            Code::ImageTooWide => Self::REMREMBG_IMAGE_TOO_WIDE,
            Code::ImageTooTall => Self::REMREMBG_IMAGE_TOO_TALL,
            Code::TooMuchMemory => Self::REMREMBG_TOO_MUCH_MEMORY,
            Code::BadPixels => Self::REMREMBG_BAD_PIXELS,
            Code::NotAnInteger => Self::REMREMBG_NOT_AN_INTEGER,
            Code::TooSmall => Self::REMREMBG_TOO_SMALL,
            Code::TooLarge => Self::REMREMBG_TOO_LARGE,
            Code::NotANumber => Self::REMREMBG_NOT_A_NUMBER,
            Code::AngleOutOfRange => Self::REMREMBG_ANGLE_OUT_OF_RANGE,
            Code::InvalidFormat => Self::REMREMBG_INVALID_FORMAT,
            Code::InvalidColor => Self::REMREMBG_INVALID_COLOR,
            Code::MaskWithBgColor => Self::REMREMBG_MASK_WITH_BG_COLOR,
            Code::UnknownOption => Self::REMREMBG_UNKNOWN_OPTION,
            Code::InvalidChoice => Self::REMREMBG_INVALID_CHOICE,
            Code::InvalidRegion => Self::REMREMBG_INVALID_REGION,
            Code::OverBudget => Self::REMREMBG_OVER_BUDGET,
            Code::InvalidRecipe => Self::REMREMBG_INVALID_RECIPE,
            Code::Cancelled => Self::REMREMBG_CANCELLED,
            Code::UnknownModel => Self::REMREMBG_UNKNOWN_MODEL,
            Code::ModelNotFetched => Self::REMREMBG_MODEL_NOT_FETCHED,
            Code::ModelDamaged => Self::REMREMBG_MODEL_DAMAGED,
            Code::ModelShape => Self::REMREMBG_MODEL_SHAPE,
            Code::EngineUnavailable => Self::REMREMBG_ENGINE_UNAVAILABLE,
            Code::EngineFailed => Self::REMREMBG_ENGINE_FAILED,
            Code::CannotRead => Self::REMREMBG_CANNOT_READ,
            Code::Misuse => Self::REMREMBG_MISUSE,
            _ => Self::REMREMBG_INTERNAL,
        }
    }
}

/// Who has to act on an error. Later versions may add some.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum remrembg_kind {
    /// The request: an option or the picture.
    REMREMBG_KIND_VALIDATION = 1,
    /// Nobody: the caller asked for a stop.
    REMREMBG_KIND_CANCELLED = 2,
    /// The model: unknown, absent, damaged or of another shape.
    REMREMBG_KIND_MODEL = 3,
    /// The inference engine.
    REMREMBG_KIND_ENGINE = 4,
    /// A file that could not be read.
    REMREMBG_KIND_IO = 5,
    /// The calling program.
    REMREMBG_KIND_MISUSE = 6,
    /// remrembg itself.
    REMREMBG_KIND_INTERNAL = 7,
}

impl remrembg_kind {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Validation => Self::REMREMBG_KIND_VALIDATION,
            ErrorKind::Cancelled => Self::REMREMBG_KIND_CANCELLED,
            ErrorKind::Model => Self::REMREMBG_KIND_MODEL,
            ErrorKind::Engine => Self::REMREMBG_KIND_ENGINE,
            ErrorKind::Io => Self::REMREMBG_KIND_IO,
            ErrorKind::Misuse => Self::REMREMBG_KIND_MISUSE,
            _ => Self::REMREMBG_KIND_INTERNAL,
        }
    }
}

/// The stages of a removal, in the order in which they run. A stage that has
/// nothing to do does not run. Later versions may add some.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum remrembg_stage {
    /// Encoded bytes to pixels, or the caller's pixels read in.
    REMREMBG_STAGE_DECODE = 0,
    /// The turn that the EXIF orientation asks for.
    REMREMBG_STAGE_UPRIGHT = 1,
    /// The model: what is subject, what is background.
    REMREMBG_STAGE_SEGMENT = 2,
    /// The mask brought to the picture's size.
    REMREMBG_STAGE_REFINE = 3,
    /// The mask made the picture's alpha.
    REMREMBG_STAGE_CUT_OUT = 4,
    /// To the size asked for.
    REMREMBG_STAGE_RESIZE = 5,
    /// By the angle asked for.
    REMREMBG_STAGE_ROTATE = 6,
    /// The fill behind the subject.
    REMREMBG_STAGE_BACKGROUND = 7,
    /// Pixels to encoded bytes.
    REMREMBG_STAGE_ENCODE = 8,
}

impl remrembg_stage {
    pub(crate) fn of(stage: Stage) -> Self {
        match stage {
            Stage::Decode => Self::REMREMBG_STAGE_DECODE,
            Stage::Upright => Self::REMREMBG_STAGE_UPRIGHT,
            Stage::Segment => Self::REMREMBG_STAGE_SEGMENT,
            Stage::Refine => Self::REMREMBG_STAGE_REFINE,
            Stage::CutOut => Self::REMREMBG_STAGE_CUT_OUT,
            Stage::Resize => Self::REMREMBG_STAGE_RESIZE,
            Stage::Rotate => Self::REMREMBG_STAGE_ROTATE,
            Stage::Background => Self::REMREMBG_STAGE_BACKGROUND,
            Stage::Encode => Self::REMREMBG_STAGE_ENCODE,
        }
    }
}

/// The stage's name in snake_case, as `"cut_out"`; NULL for a number that is no
/// #remrembg_stage of this version.
///
/// Any thread. The text is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_stage_name(stage: i32) -> *const c_char {
    static NAMES: LazyLock<Vec<CString>> = LazyLock::new(|| Stage::ALL.map(|stage| for_c(stage.name())).into());
    quietly(ptr::null(), || {
        let place = Stage::ALL.into_iter().position(|known| remrembg_stage::of(known) as i32 == stage)?;
        NAMES.get(place).map(|name| name.as_ptr())
    })
}

/// The channels of a pixel in memory order, 8 bits each but for
/// #REMREMBG_LAYOUT_MATTE; alpha is straight, not premultiplied. In 32-bit words on a little-endian machine,
/// #REMREMBG_LAYOUT_BGRA8 is 0xAARRGGBB.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum remrembg_layout {
    /// One channel: grey. As a target it holds a mask, not a cut-out.
    REMREMBG_LAYOUT_GRAY8 = 1,
    /// Red, green, blue. As a target it holds a cut-out on white.
    REMREMBG_LAYOUT_RGB8 = 2,
    /// Red, green, blue, alpha.
    REMREMBG_LAYOUT_RGBA8 = 3,
    /// Blue, green, red, as OpenCV keeps them. As a target like RGB.
    REMREMBG_LAYOUT_BGR8 = 4,
    /// Blue, green, red, alpha, as Windows and Qt's Format_ARGB32 keep them.
    /// Cairo's pixels are premultiplied and have to be converted.
    REMREMBG_LAYOUT_BGRA8 = 5,
    /// One float of the machine's, 0 for background to 1 for subject. As a target
    /// without memory, and as nothing else: what the model makes of the picture, at
    /// the size at which it saw that, to be stretched over the upright picture. The
    /// model alone runs, and of the options preset and refine alone have
    /// a say; the others only have to be right.
    REMREMBG_LAYOUT_MATTE = 6,
}

impl remrembg_layout {
    /// The channels and their order of a number that came from C.
    pub(crate) fn read(number: i32) -> Option<(Layout, ChannelOrder)> {
        const ALL: [(remrembg_layout, Layout, ChannelOrder); 5] = [
            (remrembg_layout::REMREMBG_LAYOUT_GRAY8, Layout::Gray8, ChannelOrder::Rgb),
            (remrembg_layout::REMREMBG_LAYOUT_RGB8, Layout::Rgb8, ChannelOrder::Rgb),
            (remrembg_layout::REMREMBG_LAYOUT_RGBA8, Layout::Rgba8, ChannelOrder::Rgb),
            (remrembg_layout::REMREMBG_LAYOUT_BGR8, Layout::Rgb8, ChannelOrder::Bgr),
            (remrembg_layout::REMREMBG_LAYOUT_BGRA8, Layout::Rgba8, ChannelOrder::Bgr),
        ];
        ALL.into_iter().find(|(layout, ..)| *layout as i32 == number).map(|(_, channels, order)| (channels, order))
    }
}
