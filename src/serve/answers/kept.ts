/** An answer that a caller may have already: it is made only for those who have not. */
export class Kept {
  /**
   * @param mark - what the answer follows from: the same mark, the same answer
   * @param json - makes the answer, as JSON
   */
  constructor(
    readonly mark: string,
    readonly json: () => Promise<string>,
  ) {}
}

/** An answer that is JSON already. */
export class Json {
  constructor(readonly text: string) {}
}
