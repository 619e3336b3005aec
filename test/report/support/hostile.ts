/** Texts that try to become markup, code or commands wherever a report shows names and reasons. */
export const payloads: readonly string[] = [
  '<script>window.hacked = 1</script>',
  '"><img src=x onerror="window.hacked = 1">',
  "' onmouseover='window.hacked = 1'",
  '</script><script>window.hacked = 1</script>',
  '<!--<script>window.hacked = 1',
  '</title></style><svg onload="window.hacked = 1">',
  '`${window.hacked = 1}` {{ window.hacked = 1 }} \\u003cb\\u003e',
  '<a href="javascript:window.hacked = 1">a</a> &lt;b&gt; &amp;',
  '\u202ekcab\u202c \u2066isolated\u2069 \u200f',
  '<iframe src="http://127.0.0.1:9/frame"></iframe><link rel=stylesheet href="//127.0.0.1:9/a.css">',
  ']]> \u2028 \u2029 \u0000 \u0001 \u001b[2J \ud800 \ufffe',
  '=1+1, "quoted"; a | pipe\nand a new line `code` *bold* _soft_ [link](http://127.0.0.1:9) ~~gone~~',
];

/**
 * Adds a payload to every text, one after the other.
 *
 * @param from - the first payload
 */
export function hostileDress(from = 0): (text: string) => string {
  let next = from;
  return (text) => `${text} ${payloads[next++ % payloads.length]!}`;
}
