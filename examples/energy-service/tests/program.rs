//! The program itself, in a process of its own: as a person starts it, and while what is around it fails.

mod command;
mod faults;
mod flexmeasures;
mod process;
