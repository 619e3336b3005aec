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
  const figures = members.map(figuresOf);
  return members.filter((_, index) => !figures.some((other) => dominates(other, figures[index]!)));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => value <= b[i]!) && a.some((value, i) => value < b[i]!);
}
