/** What was computed of runs that do not change any more: the last used is kept. */
export class Remembered<Facts> {
  private readonly known = new Map<string, Facts>();

  /** @param most - so many facts are kept at most; none for 0 */
  constructor(private readonly most: number) {}

  /**
   * What was computed before, or is now.
   *
   * @param question - whatever the answer follows from, as JSON can express it
   * @param compute - finds the answer
   */
  async of(question: readonly unknown[], compute: () => Promise<Facts>): Promise<Facts> {
    const key = JSON.stringify(question);
    const known = this.known.get(key);
    const facts = known ?? (await compute());
    // What was used last is the last to go.
    this.known.delete(key);
    if (this.most > 0) this.known.set(key, facts);
    const [oldest] = this.known.keys();
    if (this.known.size > this.most && oldest !== undefined) this.known.delete(oldest);
    return facts;
  }
}
