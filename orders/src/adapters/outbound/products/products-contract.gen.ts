// Written by `npm run contracts` from swagger/products-internal.json. Do not edit it.

export const bookOrders = {
  "request": {
    "type": "array",
    "items": {
      "type": "object",
      "required": [
        "orderId",
        "lines"
      ],
      "properties": {
        "orderId": {
          "type": "string",
          "format": "uuid",
          "pattern": "^[0-9a-f-]{36}$"
        },
        "lines": {
          "type": "array",
          "items": {
            "type": "object",
            "required": [
              "productId",
              "quantity"
            ],
            "properties": {
              "productId": {
                "type": "integer",
                "minimum": 1,
                "maximum": 2147483647
              },
              "quantity": {
                "type": "integer",
                "minimum": 1,
                "maximum": 1000
              },
              "expectedPrice": {
                "type": "object",
                "required": [
                  "amount",
                  "currency"
                ],
                "properties": {
                  "amount": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 9007199254740991
                  },
                  "currency": {
                    "type": "string",
                    "pattern": "^[A-Z]{3}$"
                  }
                },
                "additionalProperties": false
              }
            },
            "additionalProperties": false
          },
          "minItems": 1,
          "maxItems": 50
        }
      },
      "additionalProperties": false
    },
    "minItems": 1,
    "maxItems": 256
  },
  "response": {
    "type": "array",
    "items": {
      "anyOf": [
        {
          "type": "object",
          "required": [
            "orderId",
            "outcome",
            "lines"
          ],
          "properties": {
            "orderId": {
              "type": "string",
              "format": "uuid",
              "pattern": "^[0-9a-f-]{36}$"
            },
            "outcome": {
              "type": "string",
              "enum": [
                "BOOKED"
              ]
            },
            "lines": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "productId",
                  "quantity",
                  "sellerId",
                  "name",
                  "price"
                ],
                "properties": {
                  "productId": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 2147483647
                  },
                  "quantity": {
                    "type": "integer",
                    "minimum": 1
                  },
                  "sellerId": {
                    "type": "string"
                  },
                  "name": {
                    "type": "string"
                  },
                  "price": {
                    "type": "object",
                    "required": [
                      "amount",
                      "currency"
                    ],
                    "properties": {
                      "amount": {
                        "type": "integer",
                        "minimum": 0
                      },
                      "currency": {
                        "type": "string",
                        "pattern": "^[A-Z]{3}$"
                      }
                    }
                  }
                }
              }
            }
          }
        },
        {
          "type": "object",
          "required": [
            "orderId",
            "outcome",
            "reason",
            "lines"
          ],
          "properties": {
            "orderId": {
              "type": "string",
              "format": "uuid",
              "pattern": "^[0-9a-f-]{36}$"
            },
            "outcome": {
              "type": "string",
              "enum": [
                "REJECTED"
              ]
            },
            "reason": {
              "enum": [
                "unknown-product",
                "product-disabled",
                "mixed-currencies",
                "price-changed",
                "insufficient-stock",
                "released"
              ]
            },
            "lines": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "productId",
                  "requested",
                  "available"
                ],
                "properties": {
                  "productId": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 2147483647
                  },
                  "requested": {
                    "type": "integer",
                    "minimum": 1
                  },
                  "available": {
                    "type": "integer",
                    "minimum": 0
                  },
                  "expectedPrice": {
                    "type": "object",
                    "required": [
                      "amount",
                      "currency"
                    ],
                    "properties": {
                      "amount": {
                        "type": "integer",
                        "minimum": 0
                      },
                      "currency": {
                        "type": "string",
                        "pattern": "^[A-Z]{3}$"
                      }
                    }
                  },
                  "price": {
                    "type": "object",
                    "required": [
                      "amount",
                      "currency"
                    ],
                    "properties": {
                      "amount": {
                        "type": "integer",
                        "minimum": 0
                      },
                      "currency": {
                        "type": "string",
                        "pattern": "^[A-Z]{3}$"
                      }
                    }
                  }
                }
              }
            }
          }
        },
        {
          "type": "object",
          "required": [
            "orderId",
            "outcome"
          ],
          "properties": {
            "orderId": {
              "type": "string",
              "format": "uuid",
              "pattern": "^[0-9a-f-]{36}$"
            },
            "outcome": {
              "type": "string",
              "enum": [
                "UNDECIDED"
              ]
            }
          }
        }
      ]
    }
  }
} as const

export const releaseOrders = {
  "request": {
    "type": "array",
    "items": {
      "type": "object",
      "required": [
        "orderId"
      ],
      "properties": {
        "orderId": {
          "type": "string",
          "format": "uuid",
          "pattern": "^[0-9a-f-]{36}$"
        }
      },
      "additionalProperties": false
    },
    "minItems": 1,
    "maxItems": 256
  },
  "response": {
    "type": "array",
    "items": {
      "type": "object",
      "required": [
        "orderId",
        "outcome"
      ],
      "properties": {
        "orderId": {
          "type": "string",
          "format": "uuid",
          "pattern": "^[0-9a-f-]{36}$"
        },
        "outcome": {
          "type": "string",
          "enum": [
            "RELEASED"
          ]
        }
      }
    }
  }
} as const
