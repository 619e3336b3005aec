/** `y = Identity(x)`, float32 `[1]`: what `GraphBuilder` makes of one node; a test compares the two. */
const ENCODED =
  'CAsSCGVkZ2VmbGV4OkMKFQoBeBIBeRoBeSIISWRlbnRpdHk6ABIIaWRlbnRpdHlaDwoBeBIKCggIARIECgIIAWIPCgF5EgoKCAgBEgQKAggBQgQKABAX' +
  'QhEKDWNvbS5taWNyb3NvZnQQAQ==';

/**
 * A model of one node, as bytes: opening and running it makes a runtime build what it builds once for every process. It
 * stands here encoded so that an agent need not carry the ONNX room.
 */
export function identityModel(): Uint8Array {
  return Uint8Array.from(atob(ENCODED), (character) => character.charCodeAt(0));
}
