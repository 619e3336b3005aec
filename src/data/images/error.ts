/** Why an image is not decoded: what was found, and what is decoded. */
export class ImageError extends Error {
  constructor(
    readonly found: string,
    readonly expected: string,
  ) {
    super(`found ${found}; expected ${expected}`);
  }
}
