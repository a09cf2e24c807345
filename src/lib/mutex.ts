/** First come, first served mutual exclusion within this process. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();

  /** Runs `task` when all earlier ones have ended; its outcome is the answer. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const previous = this.#tail;
    let release = () => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    try {
      return await task();
    } finally {
      release();
    }
  }
}
