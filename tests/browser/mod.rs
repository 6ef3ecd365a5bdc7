//! The pages of the energy service in headless Chromium: by the keyboard alone, at several widths, light and dark.

mod chromium;
mod in_chromium;
