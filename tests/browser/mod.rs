//! The pages of the energy service in headless Chromium: by the keyboard alone, at several widths, light and dark.

mod axe;
mod chromium;
mod in_chromium;
mod program;
