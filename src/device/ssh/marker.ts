/** A login file of the board's shell may print something, but not without end. */
const MAX_NOISE = 64 * 1024;

/**
 * What a command on a board prints after its marker. What comes before is not the command's: a shell reads its login files
 * first, and some of them greet.
 *
 * @param chunks - standard output, cut anywhere
 * @param marker - the line that the command prints first; nothing else can know it
 * @returns the first chunk, often empty, as soon as the marker was seen; nothing when it never is
 * @throws Error when there is too much before the marker
 */
export async function* afterMarker(chunks: AsyncIterable<string>, marker: string): AsyncGenerator<string> {
  let noise: string | undefined = '';
  for await (const chunk of chunks) {
    if (noise === undefined) {
      yield chunk;
      continue;
    }
    noise += chunk;
    const at = noise.indexOf(`${marker}\n`);
    if (at >= 0) {
      const rest = noise.slice(at + marker.length + 1);
      noise = undefined;
      yield rest;
    } else if (noise.length > MAX_NOISE)
      throw new Error(`the board's shell printed more than ${MAX_NOISE} bytes before the command began`);
  }
}
