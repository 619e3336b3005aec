/**
 * Work that goes on: await it for its result, or iterate over it for what happens meanwhile. It begins at once, and once; whoever
 * stops iterating does not stop it. Nothing is lost between the call and the loop, but of events that only tell how far
 * something is, those that nobody has taken yet give way to newer ones.
 *
 * @example
 * ```ts
 * const running = run('results', 'quickstart');
 * for await (const event of running) console.log(event.kind);
 * const { id } = await running;
 * ```
 */
export class Job<Event extends { readonly kind: string }, Result>
  implements PromiseLike<Result>, AsyncIterable<Event>
{
  private readonly result: Promise<Result>;
  private readonly waiting: Event[] = [];
  private state: 'not watched' | 'watched' | 'left' = 'not watched';
  private isOver = false;
  private wake: () => void = () => undefined;

  /**
   * Begins the work.
   *
   * @param work - told where its events go
   * @param isPassing - whether an event only tells how far something is: a newer one of its kind takes its place
   * @internal
   */
  constructor(work: (emit: (event: Event) => void) => Promise<Result>, isPassing: (event: Event) => boolean) {
    // What the caller does before it lets go of the thread comes before the first event.
    this.result = Promise.resolve()
      .then(() =>
        work((event) => {
          if (this.state === 'left') return;
          const last = this.waiting.at(-1);
          const isOutdated = last?.kind === event.kind && isPassing(last) && isPassing(event);
          if (isOutdated) this.waiting.pop();
          this.waiting.push(event);
          this.wake();
        }),
      )
      .finally(() => {
        this.isOver = true;
        this.wake();
      });
  }

  /**
   * Waits for the result, as `await` does.
   *
   * @param onResult - given the result
   * @param onError - given what the work has thrown: what its function documents, or the signal's reason
   */
  then<Then = Result, Catch = never>(
    onResult?: ((result: Result) => Then | PromiseLike<Then>) | null,
    onError?: ((error: unknown) => Catch | PromiseLike<Catch>) | null,
  ): Promise<Then | Catch> {
    return this.result.then(onResult, onError);
  }

  /**
   * Everything that happens, in its order, until the work is over. A job can be iterated over once.
   *
   * @throws what the work has thrown, after its last event; TypeError when it is iterated over for the second time
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    if (this.state !== 'not watched') throw new TypeError('This job has been iterated over already.');
    this.state = 'watched';
    // The loop throws it.
    this.result.catch(() => undefined);
    try {
      for (;;) {
        for (let event = this.waiting.shift(); event !== undefined; event = this.waiting.shift()) yield event;
        if (this.isOver) break;
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.state = 'left';
      this.waiting.length = 0;
    }
    await this.result;
  }
}
