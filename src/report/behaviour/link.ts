/** What a reader looks at: the variant that is pointed at, else the one that was chosen; '' where there is none. */
export interface Looked {
  readonly pointed: string;
  readonly chosen: string;
}

/** Which variant is looked at, in the table and in all charts. */
export class SeriesLink {
  #looked: Looked = { pointed: '', chosen: '' };
  #told = '';
  readonly #listeners: ((name: string) => void)[] = [];

  /** The variant that was chosen; '' where none is. */
  get chosen(): string {
    return this.#looked.chosen;
  }

  /**
   * Listens to what is looked at.
   *
   * @param listener - told the variant's name; '' where none is looked at
   */
  onSeries(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * A reader looks at something else.
   *
   * @param change - what is pointed at, or chosen, now
   */
  lookAt(change: Partial<Looked>): void {
    this.#looked = { ...this.#looked, ...change };
    const name = this.#looked.pointed || this.#looked.chosen;
    if (name === this.#told && !('chosen' in change)) return;
    this.#told = name;
    for (const listener of this.#listeners) listener(name);
  }
}
