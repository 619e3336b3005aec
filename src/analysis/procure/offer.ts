/** An amount in a currency. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** What the catalogue says of a device: its profile, as it is when somebody asks. */
export interface Offer {
  /** As runs call the device. */
  readonly name: string;
  /** The profile's file. */
  readonly path: string;
  /** What one buys. */
  readonly board: string | undefined;
  readonly memoryBytes: number | undefined;
  /** How many can be had; undefined: any number. */
  readonly count: number | undefined;
  /** `date` is ISO 8601. */
  readonly price: (Money & { readonly date: string | undefined }) | undefined;
  /** Watts as a data sheet or a meter states them. */
  readonly power: { readonly idle: number | undefined; readonly load: number } | undefined;
}

/** A profile of the catalogue that cannot be used. */
export interface UnreadableOffer {
  readonly path: string;
  readonly fault: string;
}

/** All devices that can be bought, as their profiles describe them now. */
export interface Catalogue {
  readonly offers: readonly Offer[];
  readonly unreadable: readonly UnreadableOffer[];
}

/** One amount of a currency in another one, as somebody states it. */
export interface ExchangeRate {
  readonly from: string;
  readonly to: string;
  /** What one of `from` is worth. */
  readonly rate: number;
}
