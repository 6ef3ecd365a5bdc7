DROP TABLE flex_models;
