/** How a report may look: decided by the command line, never by the report. */
export interface Style {
  /** Columns of text. */
  readonly width: number;
  /** Box characters and marks outside of ASCII may be used. */
  readonly unicode: boolean;
  readonly bold: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;

/** The style of a file or a mail: 80 columns, ASCII, no colour. */
export const PLAIN: Style = {
  width: 80,
  unicode: false,
  bold: same,
  red: same,
  green: same,
  yellow: same,
  dim: same,
};
