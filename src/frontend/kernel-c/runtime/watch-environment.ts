import type { Capability, Environment, FeatureRegister, ObjectField } from './environment.ts';

/** Called whenever the code under test reads something that only the environment says. */
export type NoteRead = (
  kind: 'global' | 'capability' | 'static-key' | 'register',
  name: string,
  value: string,
) => void;

/** The same environment, which says what is read of it. */
export function watchEnvironment(environment: Environment, note: NoteRead): Environment {
  const objects = new Map(
    [...environment.objects].map(([name, fields]): [string, readonly ObjectField[]] => [
      name,
      fields.map((field) => watchField(field, note)),
    ]),
  );
  const capabilities = new Map(
    [...environment.capabilities].map(([number, capability]): [number, Capability] => [
      number,
      watchCapability(capability, note),
    ]),
  );
  const staticKeys = new Map(
    [...environment.staticKeys].map(([name, key]): [string, Capability] => [
      name,
      watchCapability(key, note, 'static-key'),
    ]),
  );
  const sanitised = new Map(
    [...environment.sanitised].map(([encoding, register]): [bigint, FeatureRegister] => [
      encoding,
      watchRegister(register, note),
    ]),
  );
  return { ...environment, objects, capabilities, staticKeys, sanitised };
}

function watchField(field: ObjectField, note: NoteRead): ObjectField {
  const { name, offset, size } = field;
  return {
    name,
    offset,
    size,
    get value() {
      const { value } = field;
      note('global', name, `0x${BigInt.asUintN(8 * size, value).toString(16)}`);
      return value;
    },
  };
}

function watchCapability(
  capability: Capability,
  note: NoteRead,
  kind: 'capability' | 'static-key' = 'capability',
): Capability {
  const { name } = capability;
  return {
    name,
    get present() {
      const { present } = capability;
      const words = kind === 'capability' ? ['present', 'absent'] : ['enabled', 'disabled'];
      note(kind, name, words[present ? 0 : 1] ?? '');
      return present;
    },
  };
}

function watchRegister(register: FeatureRegister, note: NoteRead): FeatureRegister {
  const { name } = register;
  return {
    name,
    get value() {
      const { value } = register;
      note('register', name, `0x${value.toString(16)}`);
      return value;
    },
  };
}
