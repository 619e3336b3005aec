import { zip } from './zip.js';

/**
 * The members of a list that no other beats: none is at least as good in everything and better in something.
 *
 * @param members - the list
 * @param figuresOf - what is compared, of each as many; less is better
 */
export function paretoFront<Member>(
  members: readonly Member[],
  figuresOf: (member: Member) => readonly number[],
): Member[] {
  const all = members.map((member) => ({ member, figures: figuresOf(member) }));
  return all
    .filter(({ figures }) => !all.some((other) => dominates(other.figures, figures)))
    .map(({ member }) => member);
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  const pairs = zip(a, b);
  return pairs.every(([own, other]) => own <= other) && pairs.some(([own, other]) => own < other);
}
