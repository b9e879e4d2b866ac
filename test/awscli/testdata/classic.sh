# Makes a classic project in $BUCKET and the database stedi_classic: raw files with external tables over them, and five tables as Glue jobs
# leave them: Parquet, times in milliseconds, names in small letters. One job was started twice, and the last one joins by time alone.
tarn init oldsrc >/dev/null
tarn sample oldsrc/data --people 20 --days 2 --replace >/dev/null
tarn run -q -C oldsrc >/dev/null
aws s3 mb s3://$BUCKET
aws s3 sync oldsrc/data/ s3://$BUCKET/ --quiet
q() { tarn query -q -C oldsrc --format parquet -o "$1" "$2"; }
mkdir -p out
q out/customer_trusted.parquet "SELECT customerName AS customername, email, phone, birthDay AS birthday, serialNumber AS serialnumber, epoch_ms(registrationDate) AS registrationdate, epoch_ms(lastUpdateDate) AS lastupdatedate, epoch_ms(shareWithResearchAsOfDate) AS sharewithresearchasofdate, epoch_ms(shareWithPublicAsOfDate) AS sharewithpublicasofdate, epoch_ms(shareWithFriendsAsOfDate) AS sharewithfriendsasofdate FROM customer_trusted"
q out/accelerometer_trusted.parquet "SELECT user, epoch_ms(timestamp) AS timestamp, x, y, z FROM accelerometer_trusted"
q out/step_trainer_trusted.parquet "SELECT epoch_ms(sensorReadingTime) AS sensorreadingtime, serialNumber AS serialnumber, distanceFromObject AS distancefromobject FROM step_trainer_trusted"
q out/customers_curated.parquet "SELECT c.serialNumber AS serialnumber, customerName AS customername, email FROM customer_trusted c"
q out/machine_learning_curated.parquet "SELECT epoch_ms(sensorReadingTime) AS sensorreadingtime, serialNumber AS serialnumber, distanceFromObject AS distancefromobject, user, epoch_ms(timestamp) AS timestamp, x, y, z FROM step_trainer_trusted s JOIN accelerometer_trusted a ON a.timestamp = s.sensorReadingTime"
aws glue create-database --database-input Name=stedi_classic
external() { # name location columns serde-kind
  local serde in out
  if [ "$4" = json ]; then serde=org.openx.data.jsonserde.JsonSerDe in=org.apache.hadoop.mapred.TextInputFormat out=org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat
  else serde=org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe in=org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat out=org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat; fi
  local cols; cols=$(python3 -c "import json,sys; print(json.dumps([{'Name':c.split(':')[0],'Type':c.split(':')[1]} for c in sys.argv[1].split(',')]))" "$3")
  aws glue create-table --database-name stedi_classic --table-input "{\"Name\":\"$1\",\"TableType\":\"EXTERNAL_TABLE\",\"Parameters\":{\"EXTERNAL\":\"TRUE\",\"classification\":\"$4\"},\"StorageDescriptor\":{\"Location\":\"$2\",\"InputFormat\":\"$in\",\"OutputFormat\":\"$out\",\"SerdeInfo\":{\"SerializationLibrary\":\"$serde\"},\"Columns\":$cols}}"
}
C=customername:string,email:string,phone:string,birthday:string,serialnumber:string,registrationdate:bigint,lastupdatedate:bigint,sharewithresearchasofdate:bigint,sharewithpublicasofdate:bigint,sharewithfriendsasofdate:bigint
A=user:string,timestamp:bigint,x:double,y:double,z:double
S=sensorreadingtime:bigint,serialnumber:string,distancefromobject:int
external customer_landing s3://$BUCKET/customer/landing/ $C json
external accelerometer_landing s3://$BUCKET/accelerometer/landing/ $A json
external step_trainer_landing s3://$BUCKET/step_trainer/landing/ $S json
external customer_trusted s3://$BUCKET/customer/trusted/ $C parquet
external accelerometer_trusted s3://$BUCKET/accelerometer/trusted/ $A parquet
external step_trainer_trusted s3://$BUCKET/step_trainer/trusted/ $S parquet
external customers_curated s3://$BUCKET/customer/curated/ serialnumber:string,customername:string,email:string parquet
external machine_learning_curated s3://$BUCKET/ml/curated/ $S,$A parquet
aws s3 cp --quiet out/customer_trusted.parquet s3://$BUCKET/customer/trusted/run-1-part-00000
aws s3 cp --quiet out/accelerometer_trusted.parquet s3://$BUCKET/accelerometer/trusted/run-1-part-00000
aws s3 cp --quiet out/step_trainer_trusted.parquet s3://$BUCKET/step_trainer/trusted/run-1-part-00000
aws s3 cp --quiet out/step_trainer_trusted.parquet s3://$BUCKET/step_trainer/trusted/run-2-part-00000
aws s3 cp --quiet out/customers_curated.parquet s3://$BUCKET/customer/curated/run-1-part-00000
aws s3 cp --quiet out/machine_learning_curated.parquet s3://$BUCKET/ml/curated/run-1-part-00000
