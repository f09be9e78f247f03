/**
 * The shape of an option of the configuration.
 * @module
 */

interface OptionBase {
  /**
   * Name in the environment and in the file. The flag is the same in kebab case:
   * `ACCESS_TOKEN_SECONDS` → `--access-token-seconds`.
   */
  readonly name: string;
  /** One sentence: its effect, and the cost of a change. */
  readonly description: string;
  /** Default in words, where it depends on the machine or on other options. */
  readonly defaultText?: string;
  /**
   * Never printed, logged or taken from a flag (flags are visible to every user of the machine).
   */
  readonly secret?: boolean;
}

/** A whole number with a unit and bounds. */
export interface NumberOption extends OptionBase {
  readonly kind: 'number';
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number | undefined;
}

/** A text; `default: undefined` means that it is absent unless given. */
export interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly default: string | undefined;
  readonly pattern?: Pick<RegExp, 'test'>;
  /** The pattern in words. */
  readonly patternText?: string;
}

/** One of a few words. Of the two words `0` and `1` it is a switch: its flag alone means `1`. */
export interface ChoiceOption extends OptionBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string | undefined;
}

/** Whether an option is a switch, see {@link ChoiceOption}. */
export const isSwitch = (option: Option): boolean => option.kind === 'choice' && option.choices.join() === '0,1';

/** One option of the configuration. */
export type Option = NumberOption | TextOption | ChoiceOption;
