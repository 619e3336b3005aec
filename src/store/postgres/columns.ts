import {
  ColumnDefinitionNode,
  DataTypeNode,
  GeneratedNode,
  OperationNodeTransformer,
  RawNode,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';

/**
 * Gives the columns of SQLite's schema the types that hold the same values on PostgreSQL: whole numbers of 64 bits, floating-point
 * numbers in double precision, texts that are ordered by their bytes, ids that the database counts. So one list of migrations makes
 * both schemas.
 */
export class ServerColumns implements KyselyPlugin {
  private readonly transformer = new ColumnTransformer();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.transformer.transformNode(node, queryId);
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}

class ColumnTransformer extends OperationNodeTransformer {
  protected override transformColumnDefinition(
    ...[node, queryId]: Parameters<OperationNodeTransformer['transformColumnDefinition']>
  ): ColumnDefinitionNode {
    const plain = super.transformColumnDefinition(node, queryId);
    const type = DataTypeNode.is(node.dataType) ? node.dataType.dataType : undefined;
    switch (type) {
      case 'integer': {
        const whole = { ...plain, dataType: DataTypeNode.create('bigint') };
        if (plain.primaryKey !== true) return whole;
        return { ...whole, generated: GeneratedNode.create({ identity: true, byDefault: true }) };
      }
      case 'real':
        return { ...plain, dataType: DataTypeNode.create('double precision') };
      case 'blob':
        return { ...plain, dataType: DataTypeNode.create('bytea') };
      case 'text':
        return { ...plain, dataType: RawNode.createWithSql('text collate "C"') };
      default:
        return plain;
    }
  }
}
