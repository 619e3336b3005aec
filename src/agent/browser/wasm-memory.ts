/** The WebAssembly memories of a page. Must be watched before the runtime makes one. */
export class WasmMemoryWatch {
  private readonly memories: WebAssembly.Memory[] = [];

  /** Begins to watch every memory that this page makes. */
  constructor() {
    const { memories } = this;
    WebAssembly.Memory = class extends WebAssembly.Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        memories.push(this);
      }
    };
  }

  /** Bytes of all memories now. They grow and do not shrink. */
  get bytes(): number {
    return this.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  }
}
