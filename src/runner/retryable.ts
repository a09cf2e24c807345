/** A value that is made once, when it is first asked for, and made again after that has failed or it was forgotten. */
export interface Retryable<T> {
  value(): Promise<T>;
  forget(): void;
}

export function retryable<T>(make: () => Promise<T>): Retryable<T> {
  let made: Promise<T> | undefined;
  const forget = () => {
    made = undefined;
  };
  return {
    forget,
    value() {
      made ??= make().catch((error: unknown) => {
        forget();
        throw error;
      });
      return made;
    },
  };
}
