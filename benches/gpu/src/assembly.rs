//! What a program's text says beyond the driver's own figures: its inner loop, and how it reaches memory.

/// Instructions of the longest loop that holds no other loop; `None`: there is no loop.
pub fn inner_loop(assembly: &str) -> Option<usize> {
    let blocks = blocks(assembly);
    let mut loops = Vec::new();
    for (last, block) in blocks.iter().enumerate() {
        for target in &block.targets {
            // Blocks come in the order of the text, so a branch back closes a loop.
            let first = blocks[..=last].iter().position(|block| block.name == *target);
            loops.extend(first.map(|first| (first, last)));
        }
    }
    // A loop that goes on from two places is one loop.
    let inner = loops.iter().filter(|(first, last)| {
        !loops.iter().any(|(a, b)| (a, b) != (first, last) && a > first && b <= last)
    });
    inner.map(|(first, last)| blocks[*first..=*last].iter().map(|block| block.count).sum()).max()
}

/// Instructions that read or write buffers by less than 128 bits.
pub fn narrow(assembly: &str) -> Vec<&str> {
    let operations = assembly.lines().filter_map(operation);
    operations
        .filter(|operation| {
            let memory = ["buffer_load", "buffer_store", "global_load", "global_store", "flat_"];
            memory.iter().any(|start| operation.starts_with(start)) && !operation.ends_with("dwordx4")
        })
        .collect()
}

struct Block<'a> {
    name: &'a str,
    count: usize,
    /// Where its branches go.
    targets: Vec<&'a str>,
}

fn blocks(assembly: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in assembly.lines() {
        if let Some(name) = line.strip_suffix(':') {
            blocks.push(Block { name, count: 0, targets: Vec::new() });
        } else if let (Some(operation), Some(block)) = (operation(line), blocks.last_mut()) {
            block.count += 1;
            if operation.starts_with("s_branch") || operation.starts_with("s_cbranch") {
                block.targets.extend(line.split_whitespace().nth(1));
            }
        }
    }
    blocks
}

/// The name of the instruction of a line.
fn operation(line: &str) -> Option<&str> {
    line.strip_prefix('\t')?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_LOOPS: &str = "BB0:\n\ts_mov_b32 s0, 0 ; be800380\nBB1:\n\tv_add v0\n\ts_cbranch_scc1 BB5\nBB2:\n\tv_add v1\n\
        \tbuffer_load_dwordx2 v[0:1], v0\n\ts_branch BB2\nBB3:\n\tbuffer_load_dwordx4 v[0:3], v0\n\ts_branch BB1\nBB5:\n\ts_endpgm\n";

    #[test]
    fn the_inner_loop_is_the_one_without_another() {
        assert_eq!(inner_loop(TWO_LOOPS), Some(3));
        assert_eq!(inner_loop("BB0:\n\tv_add v0\n\ts_cbranch_scc0 BB1\nBB1:\n\ts_endpgm\n"), None);
        assert_eq!(
            inner_loop("BB0:\n\tv_add v0\n\ts_cbranch_scc0 BB1\n\ts_branch BB0\nBB1:\n\ts_endpgm\n"),
            Some(3)
        );
    }

    #[test]
    fn narrow_accesses_are_found() {
        assert_eq!(narrow(TWO_LOOPS), ["buffer_load_dwordx2"]);
    }
}
