//! The build's own parts: what the directives mean, and that a fault names its file and line.

#[path = "../build/check.rs"]
mod check;
#[path = "../build/expand.rs"]
mod expand;

use expand::{Expanded, Fault, Place, Symbols};
use veilgrid_shaders::{Binding, Mode, SHADERS, shader};

fn run(files: &[(&str, &str)], symbols: &[&str]) -> Result<Expanded, Fault> {
    let symbols: Symbols = symbols.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
    expand::expand(files[0].0, &symbols, &read)
}

fn text(files: &[(&str, &str)], symbols: &[&str]) -> String {
    run(files, symbols).unwrap().text
}

fn place(result: Result<Expanded, Fault>) -> (String, usize) {
    let fault = result.unwrap_err();
    (fault.place.file, fault.place.line)
}

#[test]
fn a_kernel_line_gives_its_name_and_symbols() {
    let kernels = expand::kernels("a.wgsl", "// one\n#kernel first U32 OP=add\n#kernel second\n").unwrap();
    assert_eq!(kernels.len(), 2);
    assert_eq!(kernels[0].name, "first");
    assert_eq!(kernels[0].symbols["OP"], "add");
    assert_eq!(kernels[0].symbols["U32"], "");
    assert!(kernels[1].symbols.is_empty());
}

#[test]
fn conditions_choose_and_nest() {
    let file =
        [("a", "#ifdef A\n#ifdef B\nboth\n#else\na\n#endif\n#else\nnone\n#endif\n#ifndef A\nno\n#endif\n")];
    assert_eq!(text(&file, &["A", "B"]), "both\n");
    assert_eq!(text(&file, &["A"]), "a\n");
    assert_eq!(text(&file, &["B"]), "none\nno\n");
}

#[test]
fn repetition_replaces_whole_words_and_nests() {
    let file = [("a", "#for X,Y 1,p 2,q\n#for Z a b\nsX_Z.Y XX\n#endfor\n#endfor\nX\n")];
    assert_eq!(
        text(&file, &[]),
        "sX_a.p XX\nsX_b.p XX\nsX_a.q XX\nsX_b.q XX\nX\n",
        "only whole words are replaced, and the outer meaning comes back"
    );
    assert_eq!(text(&[("a", "#for ROW a b\nsize_ROW\n#endfor\n")], &[]), "size_a\nsize_b\n");
    let listed = "#define ROWS a b\n#for ROW ROWS c\nsize_ROW\n#endfor\n";
    assert_eq!(
        text(&[("a", listed)], &[]),
        "size_a\nsize_b\nsize_c\n",
        "a defined name stands for its values"
    );
}

#[test]
fn imports_come_once_and_lines_keep_their_origin() {
    let files = [
        ("a", "#import one\n#import two\nlast\n"),
        ("shared/one.wgsl", "1\n"),
        ("shared/two.wgsl", "#import one\n\n2\n"),
    ];
    let out = run(&files, &[]).unwrap();
    assert_eq!(out.text, "1\n2\nlast\n");
    let place = |file: &str, line| Place { file: file.to_owned(), line };
    assert_eq!(out.places, [place("shared/one.wgsl", 1), place("shared/two.wgsl", 3), place("a", 3)]);
}

#[test]
fn faults_of_directives_name_file_and_line() {
    assert_eq!(place(run(&[("a", "x\n#import gone\n")], &[])), ("a".to_owned(), 2));
    assert_eq!(place(run(&[("a", "x\n\n#ifdef A\ny\n")], &[])), ("a".to_owned(), 3));
    assert_eq!(place(run(&[("a", "#for A 1\n#endif\n#endfor\n")], &[])), ("a".to_owned(), 2));
    assert_eq!(place(run(&[("a", "#for A,B 1\n#endfor\n")], &[])), ("a".to_owned(), 1));
    assert_eq!(place(run(&[("a", "#endif\n")], &[])), ("a".to_owned(), 1));
    let inner = run(&[("a", "#import b\n"), ("shared/b.wgsl", "ok\n#what\n")], &[]);
    assert_eq!(place(inner), ("shared/b.wgsl".to_owned(), 2));
}

#[test]
fn faults_of_wgsl_name_the_file_and_line_that_hold_them() {
    let main =
        "#import b\n@compute @workgroup_size(4, 2)\nfn main() {\n    // a remark\n    let x = f(1u);\n}\n";
    let good =
        run(&[("a", main), ("shared/b.wgsl", "\nfn f(x: u32) -> u32 {\n    return x;\n}\n")], &[]).unwrap();
    assert_eq!(check::check(&good, false).unwrap().workgroup_size, 8);

    let parse =
        run(&[("a", main), ("shared/b.wgsl", "\nfn f(x: u32) -> u32 {\n    return y;\n}\n")], &[]).unwrap();
    let fault = check::check(&parse, false).unwrap_err();
    assert_eq!(fault.place, Place { file: "shared/b.wgsl".to_owned(), line: 3 });
    assert!(fault.to_string().starts_with("shaders/shared/b.wgsl:3: "), "{fault}");

    let invalid = run(&[("a", main), ("shared/b.wgsl", "fn f(x: u32) -> u32 {\n}\n")], &[]).unwrap();
    assert!(check::check(&invalid, false).is_err());
}

#[test]
fn native_integers_are_for_native_kernels_only() {
    let file =
        [("a", "var<private> x: u64;\n@compute @workgroup_size(1)\nfn main() {\n    x = x + 1lu;\n}\n")];
    let source = run(&file, &[]).unwrap();
    assert!(check::check(&source, true).is_ok());
    assert!(check::check(&source, false).is_err());
}

#[test]
fn the_table_has_every_kernel_in_both_modes() {
    let files = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap().map(|entry| entry.unwrap().path());
    let families = files.filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
    let declared = families.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        expand::kernels(&path.display().to_string(), &text).unwrap().len()
    });
    assert_eq!(SHADERS.len(), 2 * declared.sum::<usize>(), "a family is missing in build.rs");
    for kernel in SHADERS {
        let twin = if kernel.mode == Mode::Limb { Mode::Native } else { Mode::Limb };
        let twin = shader(kernel.name, twin).unwrap();
        assert_eq!(twin.bindings, kernel.bindings, "{}", kernel.name);
        assert_eq!(kernel.bindings[..2], [Binding::Uniform, Binding::ReadWrite], "{}", kernel.name);
        assert!(kernel.workgroup_size <= 256, "more than every GPU has: {}", kernel.name);
    }
    assert!(shader("ring_add_u64", Mode::Limb).unwrap().bindings.ends_with(&[Binding::Read]));
    assert!(shader("ring_add_u128", Mode::Limb).is_none());
}

#[test]
fn limb_kernels_use_no_wide_and_no_signed_integer() {
    for kernel in SHADERS.iter().filter(|kernel| kernel.mode == Mode::Limb) {
        for word in ["u64", "i64", "i32", "f32", "f64"] {
            assert!(!kernel.source.contains(word), "{} has {word}", kernel.name);
        }
    }
}
