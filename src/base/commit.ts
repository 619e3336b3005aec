/** A commit of a repository. */
export interface Commit {
  /** Its whole hash. */
  readonly hash: string;
  /** The first line of its message. */
  readonly subject: string;
}
