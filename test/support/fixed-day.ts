/** Sets the day of all tests of a file. Only the clock is fake: waiting for kustomize takes real timers. */
export function useFixedDay(day: string): void {
  beforeAll(() => {
    jest.useFakeTimers({
      now: new Date(`${day}T12:00:00Z`),
      doNotFake: [
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'setInterval',
        'setTimeout',
        'clearImmediate',
        'clearInterval',
        'clearTimeout',
      ],
    });
  });
  afterAll(() => {
    jest.useRealTimers();
  });
}
