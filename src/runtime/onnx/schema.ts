import protobuf from "protobufjs/light.js";

/**
 * The part of the ONNX file format that compiled graphs use and imported models may use, as a protobuf descriptor.
 * Source: the published onnx.proto (field numbers and types), IR version 8.
 */
const f = (id: number, type: string) => ({ id, type });
const many = (id: number, type: string, packed = false) => ({ id, type, rule: "repeated", options: { packed } });

const SCHEMA = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: f(1, "int64"),
        producerName: f(2, "string"),
        producerVersion: f(3, "string"),
        graph: f(7, "Graph"),
        opsetImport: many(8, "OperatorSet"),
        functions: many(25, "bytes"),
      },
    },
    OperatorSet: { fields: { domain: f(1, "string"), version: f(2, "int64") } },
    Graph: {
      fields: {
        node: many(1, "Node"),
        name: f(2, "string"),
        initializer: many(5, "Tensor"),
        input: many(11, "ValueInfo"),
        output: many(12, "ValueInfo"),
        sparseInitializer: many(15, "bytes"),
      },
    },
    Node: {
      fields: {
        input: many(1, "string"),
        output: many(2, "string"),
        name: f(3, "string"),
        opType: f(4, "string"),
        attribute: many(5, "Attribute"),
        domain: f(7, "string"),
      },
    },
    Attribute: {
      fields: {
        name: f(1, "string"),
        f: f(2, "float"),
        i: f(3, "int64"),
        s: f(4, "bytes"),
        t: f(5, "Tensor"),
        g: f(6, "Graph"),
        floats: many(7, "float"),
        ints: many(8, "int64"),
        strings: many(9, "bytes"),
        type: f(20, "int32"),
      },
    },
    Tensor: {
      fields: {
        dims: many(1, "int64"),
        dataType: f(2, "int32"),
        segment: f(3, "bytes"),
        floatData: many(4, "float", true),
        int32Data: many(5, "int32", true),
        int64Data: many(7, "int64", true),
        name: f(8, "string"),
        rawData: f(9, "bytes"),
        doubleData: many(10, "double", true),
        uint64Data: many(11, "uint64", true),
        externalData: many(13, "Entry"),
        dataLocation: f(14, "int32"),
      },
    },
    Entry: { fields: { key: f(1, "string"), value: f(2, "string") } },
    ValueInfo: { fields: { name: f(1, "string"), type: f(2, "Type") } },
    Type: { fields: { tensorType: f(1, "TensorType") } },
    TensorType: { fields: { elemType: f(1, "int32"), shape: f(2, "TensorShape") } },
    TensorShape: { fields: { dim: many(1, "Dimension") } },
    Dimension: { fields: { dimValue: f(1, "int64"), dimParam: f(2, "string") } },
  },
});

/** The message that is a whole file. */
export const MODEL: protobuf.Type = SCHEMA.lookupType("Model");

/** The bytes of a model given as plain objects with the schema's field names. */
export function encodeModel(model: object): Uint8Array {
  return MODEL.encode(MODEL.fromObject(model)).finish();
}
