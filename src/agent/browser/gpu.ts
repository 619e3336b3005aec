/** What a page's GPU holds and whether something went wrong with it. Must be watched before the runtime makes a device. */
export class GpuWatch {
  private live = 0;
  private most = 0;
  private fail!: (reason: string) => void;
  /** Resolves, with the reason, when a device is lost or reports an error that nobody caught. */
  readonly fault = new Promise<string>((resolve) => (this.fail = resolve));

  /** Begins to watch every device and buffer that this page makes. */
  constructor() {
    if (!('gpu' in navigator)) return;
    this.watchBuffers();
    this.watchDevices();
  }

  /** Bytes of the buffers that were made and not destroyed. */
  get bytes(): number {
    return this.live;
  }

  /** The most that these were since the last reset. */
  get peakBytes(): number {
    return this.most;
  }

  resetPeak(): void {
    this.most = this.live;
  }

  /** Makes every request for an adapter in this page ask for the fast or the frugal one. */
  prefer(powerPreference: GPUPowerPreference): void {
    if (!('gpu' in navigator)) return;
    const request = unbound(GPU.prototype, 'requestAdapter');
    GPU.prototype.requestAdapter = function (options) {
      return request.call(this, { ...options, powerPreference });
    };
  }

  private watchBuffers(): void {
    const sizes = new WeakMap<GPUBuffer, number>();
    const add = (bytes: number): void => {
      this.live += bytes;
      this.most = Math.max(this.most, this.live);
    };
    const create = unbound(GPUDevice.prototype, 'createBuffer');
    GPUDevice.prototype.createBuffer = function (descriptor): GPUBuffer {
      const buffer = create.call(this, descriptor);
      sizes.set(buffer, descriptor.size);
      add(descriptor.size);
      return buffer;
    };
    const destroy = unbound(GPUBuffer.prototype, 'destroy');
    GPUBuffer.prototype.destroy = function () {
      // A buffer may be destroyed twice.
      add(-(sizes.get(this) ?? 0));
      sizes.delete(this);
      destroy.call(this);
    };
  }

  private watchDevices(): void {
    const request = unbound(GPUAdapter.prototype, 'requestDevice');
    const watch = (device: GPUDevice): void => {
      device.addEventListener('uncapturederror', (event) => {
        this.fail(`${faultName(event.error)}: ${event.error.message}`);
      });
      void device.lost.then(({ reason, message }) => {
        this.fail(`the GPU device was lost (${reason})${message && `: ${message}`}`);
      });
    };
    GPUAdapter.prototype.requestDevice = async function (descriptor): Promise<GPUDevice> {
      const device = await request.call(this, descriptor);
      watch(device);
      return device;
    };
  }
}

/** A method as a function that is given its object. */
function unbound<T extends object, K extends keyof T>(prototype: T, name: K): T[K] {
  return prototype[name];
}

function faultName(error: GPUError): string {
  if (error instanceof GPUOutOfMemoryError) return 'the GPU ran out of memory';
  if (error instanceof GPUValidationError) return 'the GPU refused a command';
  return 'the GPU reported an error';
}
