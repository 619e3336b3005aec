/** What an agent said cannot be; the message says what and where. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
