/** How well a worker is in contact with the queue's server, and whether it may judge by that who else has been silent. */
export class Contact {
  /** When the server was first found not to answer; undefined while it does. */
  private awaySince: number | undefined;
  private patientUntil = 0;
  private serverStarted: number | undefined;

  /**
   * @param leaseMilliseconds - how long a worker may be silent
   * @param restMilliseconds - how long it rests between two signs of life
   */
  constructor(
    private readonly leaseMilliseconds: number,
    private readonly restMilliseconds: number,
  ) {}

  /** Whether the server did not answer when it was last asked. */
  get isAway(): boolean {
    return this.awaySince !== undefined;
  }

  /**
   * The server has answered.
   *
   * @param now - in milliseconds, of a clock that is never set
   * @param serverStarted - when it was started, in seconds by its own clock, where the answer says so
   * @returns whether it had not answered before
   */
  answered(now: number, serverStarted?: number): boolean {
    const { awaySince } = this;
    this.awaySince = undefined;
    // Whoever was cut off for less than they rest between two signs of life has lost no lease by that.
    if (awaySince !== undefined && now - awaySince > this.restMilliseconds)
      this.patientUntil = now + this.leaseMilliseconds;
    // Leases count from the server's start: after that nobody needs more time, whichever question it answers first.
    if (serverStarted !== undefined && serverStarted !== this.serverStarted) {
      this.serverStarted = serverStarted;
      this.patientUntil = 0;
    }
    return awaySince !== undefined;
  }

  /**
   * The server has not answered.
   *
   * @param now - as of `answered`
   * @returns whether it had answered before
   */
  unanswered(now: number): boolean {
    const isNew = this.awaySince === undefined;
    this.awaySince ??= now;
    return isNew;
  }

  /**
   * Whether the network was away, and others, who may have been cut off with this worker, have not yet had the time to say that they live.
   *
   * @param now - as of `answered`
   */
  isPatient(now: number): boolean {
    return now < this.patientUntil;
  }
}
