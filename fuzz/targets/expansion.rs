#![cfg_attr(fuzzing, no_main)]

auth_fuzz::target!(expansion);
