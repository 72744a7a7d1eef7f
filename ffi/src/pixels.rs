//! Pictures in the caller's memory, as C describes them.

use std::{ptr, slice};

use remrembg::{ChannelOrder, Job, Layout, PixelOutput, PixelView, PixelViewMut, Result, check_buffer};

use crate::argument::{Slot, misuse};
use crate::codes::remrembg_layout;

/// A decoded picture that the caller owns. The struct is copied when a function
/// is called; the memory it leads to must stay unchanged until that returns, but
/// for a target in the same memory, and any number of functions may look at it at
/// once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct remrembg_pixels {
    /// The first byte of the top row.
    pub data: *const u8,
    /// Bytes that may be read from there. The last row may end without padding.
    pub size: usize,
    /// Width in pixels, 1 to the setting max_side.
    pub width: u32,
    /// Height in pixels, 1 to the setting max_side.
    pub height: u32,
    /// Bytes from the start of a row to that of the next; 0 for rows without gaps.
    pub stride: usize,
    /// A #remrembg_layout, but for #REMREMBG_LAYOUT_MATTE.
    pub layout: i32,
}

/// Room for a picture that the caller owns. The struct is copied when a function
/// is called; nobody else may use the memory it leads to until that returns, but
/// it may be memory of the source, all or part of it: the result is written when the
/// source is not needed any more.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct remrembg_target {
    /// The first byte of the top row. NULL leaves the result to the output, as
    /// rows without gaps of this layout; then the members but `layout` are 0.
    pub data: *mut u8,
    /// Bytes that may be written from there. The last row may end without padding.
    pub size: usize,
    /// The result's width in pixels: remrembg_options_size() tells it.
    pub width: u32,
    /// The result's height in pixels.
    pub height: u32,
    /// Bytes from the start of a row to that of the next; 0 for rows without
    /// gaps. Bytes between the rows are left as they are.
    pub stride: usize,
    /// A #remrembg_layout. RGBA and BGRA hold every result; RGB and BGR put a
    /// cut-out on white, unless bg_color is set; grey holds a mask alone.
    /// #REMREMBG_LAYOUT_MATTE is the model's own matte, left to the output.
    pub layout: i32,
}

impl remrembg_pixels {
    /// # Errors
    /// [`Misuse`](remrembg::Code::Misuse), [`BadPixels`](remrembg::Code::BadPixels).
    ///
    /// # Safety
    /// `data` is as documented and stays so for `'a`.
    pub(crate) unsafe fn view<'a>(self) -> Result<PixelView<'a>> {
        let (layout, order) = read_layout(self.layout)?;
        // SAFETY: passed on.
        let data = unsafe { bytes(self.data, self.size, "pixels->data") }?;
        let stride = stride(self.stride, self.width, layout);
        Ok(PixelView::new(data, self.width, self.height, layout, stride)?.with_order(order))
    }
}

/// A struct of the caller's, copied; `None` for NULL.
pub(crate) fn read<T: Copy>(pointer: *const T, name: &str) -> Result<Option<T>> {
    Slot::optional(pointer.cast_mut(), name)?;
    // SAFETY: not null, aligned, and by the contract of every function with such
    // a parameter a whole struct.
    Ok((!pointer.is_null()).then(|| unsafe { pointer.read() }))
}

/// The caller's bytes; none for NULL and no size.
///
/// # Errors
/// [`Misuse`](remrembg::Code::Misuse) for what cannot be a buffer.
///
/// # Safety
/// `data` may be read for `size` bytes, and stays unchanged, for `'a`.
pub(crate) unsafe fn bytes<'a>(data: *const u8, size: usize, name: &str) -> Result<&'a [u8]> {
    check_address(data, size, name)?;
    // SAFETY: checked as far as it can be; the rest is asked of the caller.
    Ok(if data.is_null() { &[] } else { unsafe { slice::from_raw_parts(data, size) } })
}

fn check_address(data: *const u8, size: usize, name: &str) -> Result<()> {
    if data.is_null() && size > 0 {
        return Err(misuse(format!("{name} is NULL, but its size is {size}")));
    }
    if isize::try_from(size).is_err() || data.addr().checked_add(size).is_none() {
        return Err(misuse(format!("{name} cannot have {size} bytes")));
    }
    Ok(())
}

fn read_layout(number: i32) -> Result<(Layout, ChannelOrder)> {
    remrembg_layout::read(number).ok_or_else(|| misuse(format!("There is no layout {number}")))
}

fn stride(stride: usize, width: u32, layout: Layout) -> usize {
    if stride == 0 { width as usize * layout.bytes() } else { stride }
}

/// A [`remrembg_target`] whose members agree.
pub(crate) struct Target {
    data: *mut u8,
    shape: (u32, u32),
    stride: usize,
    layout: Layout,
    order: ChannelOrder,
}

impl Target {
    /// # Errors
    /// [`Misuse`](remrembg::Code::Misuse), [`BadPixels`](remrembg::Code::BadPixels).
    pub(crate) fn read(target: remrembg_target) -> Result<Self> {
        let remrembg_target { data, size, width, height, .. } = target;
        let (layout, order) = read_layout(target.layout)?;
        let stride = stride(target.stride, width, layout);
        check_address(data, size, "target->data")?;
        if !data.is_null() {
            check_buffer(size, (width, height), layout, stride)?;
        } else if (width, height, target.stride) != (0, 0, 0) {
            return Err(misuse("target->data is NULL, but the target has a size"));
        }
        Ok(Self { data, shape: (width, height), stride, layout, order })
    }

    /// Whether the target asks for the model's matte, which needs no memory.
    ///
    /// # Errors
    /// [`Misuse`](remrembg::Code::Misuse) for memory that a matte does not go to.
    pub(crate) fn asks_for_matte(target: &remrembg_target) -> Result<bool> {
        let remrembg_target { data, size, width, height, stride, layout } = *target;
        if layout != remrembg_layout::REMREMBG_LAYOUT_MATTE as i32 {
            return Ok(false);
        }
        match (data.is_null(), size, width, height, stride) {
            (true, 0, 0, 0, 0) => Ok(true),
            _ => Err(misuse("A matte is left to the output: the target's other members must be 0")),
        }
    }

    /// Whether the pixels go to the caller's memory, not to the output.
    pub(crate) fn is_callers(&self) -> bool {
        !self.data.is_null()
    }

    /// Runs the job, and gives what it made: the pixels too, laid out as asked,
    /// where they are for the output.
    ///
    /// # Errors
    /// As [`Job::run_to_pixels`].
    ///
    /// # Safety
    /// The target's memory is as documented.
    pub(crate) unsafe fn run(&self, job: Job<'_>) -> Result<(PixelOutput, Option<Vec<u8>>)> {
        let made = job.for_buffer(self.layout, self.is_callers().then_some(self.shape)).run_to_pixels()?;
        let (width, height) = (made.pixels.width(), made.pixels.height());
        let row = width as usize * self.layout.bytes();
        let mut laid_out = vec![0; row * height as usize];
        let view = PixelViewMut::new(&mut laid_out, width, height, self.layout, row)?;
        view.with_order(self.order).copy_from(&made.pixels)?;
        if !self.is_callers() {
            return Ok((made, Some(laid_out)));
        }
        for (y, row) in laid_out.chunks_exact(row).enumerate() {
            // SAFETY: the job refused a result of another size than the target's,
            // whose members agree: each row lies inside the caller's memory, which
            // nobody else uses. Memory and gaps need not be initialised.
            unsafe { ptr::copy_nonoverlapping(row.as_ptr(), self.data.add(y * self.stride), row.len()) };
        }
        Ok((made, None))
    }
}
