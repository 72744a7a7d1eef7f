//! WebP encoding.
