/**
 * Of zod's types what the published declarations mention: schemas that know their value. With it, the
 * package's types need no zod. A type that is missing here stops the packaging test.
 */
export declare namespace z {
  type Schema<Value> = { readonly value: Value };
  export type ZodBoolean = Schema<boolean>;
  export type ZodInt = Schema<number>;
  export type ZodNumber = Schema<number>;
  export type ZodString = Schema<string>;
  export type ZodEnum<Values> = Schema<Values[keyof Values]>;
  export type ZodArray<Item> = Schema<ValueOf<Item>[]>;
  type ValueOf<S> = S extends Schema<infer Value> ? Value : never;
  export { ValueOf as infer };
}
