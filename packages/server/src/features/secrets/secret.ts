/**
 * A secret that prints as a placeholder wherever it might leak: strings, JSON, `console`, a
 * debugger's inspect.
 * @module
 */
import { inspect } from 'node:util';

const placeholder = '[secret]';

/** Holds a value that only {@link Secret.reveal} gives back. */
export class Secret<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** Opens the secret. Each caller is a place to review. */
  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): string {
    return placeholder;
  }

  [inspect.custom](): string {
    return placeholder;
  }
}
