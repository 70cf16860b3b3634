//! In which order objects are made: what is needed first, and where that leaves
//! a choice by kind and name, so that one database always gives one text.

use std::collections::{BTreeMap, BTreeSet};

use super::Stage;

/// Orders the items `0..ranks.len()`. `needs` holds pairs: the first needs the
/// second.
///
/// # Errors
/// The items that need each other in a circle, or need such an item.
pub(super) fn order<R: Ord + Clone>(
    ranks: &[R],
    needs: &BTreeSet<(usize, usize)>,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut missing = vec![0_usize; ranks.len()];
    let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(item, needed) in needs {
        missing[item] += 1;
        needed_by.entry(needed).or_default().push(item);
    }
    let mut ready: BTreeSet<(R, usize)> = (0..ranks.len())
        .filter(|&item| missing[item] == 0)
        .map(|item| (ranks[item].clone(), item))
        .collect();
    let mut ordered = Vec::with_capacity(ranks.len());
    while let Some((_, item)) = ready.pop_first() {
        ordered.push(item);
        for &waiting in needed_by.get(&item).into_iter().flatten() {
            missing[waiting] -= 1;
            if missing[waiting] == 0 {
                ready.insert((ranks[waiting].clone(), waiting));
            }
        }
    }
    if ordered.len() == ranks.len() {
        Ok(ordered)
    } else {
        Err((0..ranks.len()).filter(|&item| missing[item] > 0).collect())
    }
}

/// The items that need themselves, by way of others: each with those in its circle.
pub(super) fn circles(
    items: usize,
    needs: &BTreeSet<(usize, usize)>,
) -> BTreeMap<usize, BTreeSet<usize>> {
    let Err(stuck) = order(&vec![(); items], needs) else {
        return BTreeMap::new();
    };
    let reached: BTreeMap<_, _> = stuck
        .into_iter()
        .map(|item| (item, reachable(item, needs)))
        .filter(|(item, reached)| reached.contains(item))
        .collect();
    let circle = |item: usize, needed: &BTreeSet<usize>| {
        let others = needed.iter().copied();
        let others = others.filter(|other| reached.get(other).is_some_and(|it| it.contains(&item)));
        (item, others.collect())
    };
    reached
        .iter()
        .map(|(&item, needed)| circle(item, needed))
        .collect()
}

/// Moves what something before the rows needs before the rows as well: a view
/// whose row type a function returns, say.
pub(super) fn pull_forward(stages: &mut [Stage], needs: &BTreeSet<(usize, usize)>) {
    let mut early: Vec<usize> = (0..stages.len())
        .filter(|&item| stages[item] == Stage::Before)
        .collect();
    while let Some(item) = early.pop() {
        for &(_, needed) in needs.range((item, 0)..=(item, usize::MAX)) {
            if stages[needed] == Stage::After {
                stages[needed] = Stage::Before;
                early.push(needed);
            }
        }
    }
}

/// Everything that an item needs, directly or not.
pub(super) fn reachable(item: usize, needs: &BTreeSet<(usize, usize)>) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![item];
    while let Some(next) = open.pop() {
        for &(_, needed) in needs.range((next, 0)..=(next, usize::MAX)) {
            if seen.insert(needed) {
                open.push(needed);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_decide_where_needs_do_not() {
        let needs = BTreeSet::from([(0, 3), (3, 2)]);
        assert_eq!(order(&["a", "b", "c", "d"], &needs), Ok(vec![1, 2, 3, 0]));
    }

    #[test]
    fn a_circle_is_named_with_what_waits_for_it() {
        let needs = BTreeSet::from([(0, 1), (1, 0), (2, 1)]);
        assert_eq!(order(&["a", "b", "c", "d"], &needs), Err(vec![0, 1, 2]));
    }

    #[test]
    fn circles_are_told_apart_from_what_waits_for_them() {
        let needs = BTreeSet::from([(0, 1), (1, 0), (2, 1), (3, 4), (4, 3), (4, 0), (5, 6)]);
        let circles = circles(7, &needs).into_iter();
        let circles: Vec<(usize, Vec<usize>)> = circles
            .map(|(item, circle)| (item, circle.into_iter().collect()))
            .collect();
        assert_eq!(
            circles,
            [
                (0, vec![0, 1]),
                (1, vec![0, 1]),
                (3, vec![3, 4]),
                (4, vec![3, 4])
            ]
        );
    }

    #[test]
    fn what_the_rows_need_is_pulled_before_them() {
        let needs = BTreeSet::from([(0, 2), (2, 3)]);
        let mut stages = [Stage::Before, Stage::After, Stage::After, Stage::After];
        pull_forward(&mut stages, &needs);
        assert_eq!(
            stages,
            [Stage::Before, Stage::After, Stage::Before, Stage::Before]
        );
    }

    proptest! {
        #[test]
        fn nothing_stands_before_what_it_needs(
            edges in proptest::collection::btree_set((0_usize..30, 0_usize..30), 0..90),
        ) {
            // An edge to a smaller number cannot close a circle.
            let needs: BTreeSet<_> = edges.into_iter().filter(|(item, needed)| item > needed).collect();
            let ordered = order(&[0; 30], &needs).unwrap();
            let place = |item| ordered.iter().position(|&other| other == item).unwrap();
            for (item, needed) in needs {
                prop_assert!(place(needed) < place(item));
            }
        }
    }
}
