module example.com/oss-callback

go 1.19
