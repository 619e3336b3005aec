/** The bytes of float32 values as base64, with functions that Node and browsers share. */
export function base64(values: Float32Array): string {
  let text = '';
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    text += String.fromCharCode(byte);
  return btoa(text);
}
